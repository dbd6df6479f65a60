package classroom_test

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chalkcast/media"
	"chalkcast/media/mediatest"
)

type encoderJSON struct {
	Steps []struct {
		Name, Says string
		Done       bool
	}
	Seen string
	All  bool
}

func (s *school) encoder(who string) encoderJSON {
	s.t.Helper()
	var e encoderJSON
	if a := s.json(who, "GET", "/api/v1/me/encoder", "", &e); a.status != http.StatusOK || len(e.Steps) != 4 {
		s.t.Fatalf("encoder of %s: %d %s", who, a.status, a.body)
	}
	return e
}

// done lists the steps that are ticked.
func (e encoderJSON) done() (names []string) {
	for _, step := range e.Steps {
		if step.Done {
			names = append(names, step.Name)
		}
	}
	return names
}

// The four steps are ticked as each of them happens, and taken back when it is no longer so.
func TestSetUpOBS(t *testing.T) {
	s := newSchool(t)
	want := func(when, seen string, names ...string) encoderJSON {
		t.Helper()
		e := s.encoder("teacher")
		if !slices.Equal(e.done(), names) || e.Seen != seen || e.All != (len(names) == 4) {
			t.Errorf("%s: %v, %q; want %v, %q", when, e.done(), e.Seen, names, seen)
		}
		return e
	}
	want("before anything", "")
	key, err := s.k.Accounts.CreateKey(t.Context(), s.people["teacher"].id, "laptop")
	s.must(err)
	want("with a key", "", "key")

	g, err := s.k.Lessons.Admit(t.Context(), media.Attempt{Protocol: media.RTMP, Key: key, HasKey: true})
	s.must(err)
	video := media.Track{Kind: media.Video, Clock: 90000, Params: mediatest.H264Params()}
	audio := media.Track{Kind: media.Audio, Clock: 48000, Params: &media.Params{Words: "AAC stereo", SampleRate: 48000, Channels: 2}}
	s.k.Lessons.Started(g, []media.Track{video, audio}, "OBS 32")
	health := media.Health{At: s.clock.Now(), FPSMilli: 29_970, Encoder: "OBS 32", Tracks: []media.Track{video}}
	say := func(change func(h *media.Health)) {
		change(&health)
		s.k.Lessons.Health(g, health)
	}
	picture := video.Params.Words
	say(func(*media.Health) {})
	e := want("a picture without its second keyframe", "We see you: 320×180, 30 fps, "+picture+". Private – nobody else sees this.", "key", "seen")
	if !strings.Contains(e.Steps[1].Says, "OBS 32") || !strings.Contains(e.Steps[2].Says, "second keyframe") {
		t.Errorf("says %q and %q", e.Steps[1].Says, e.Steps[2].Says)
	}
	say(func(h *media.Health) {
		h.Keyframe = 8300 * time.Millisecond
		h.Warnings = []media.Warning{{Code: media.KeyframeLong, Detail: "8.3"}, {Code: media.AudioMissing}}
	})
	e = want("keyframes too far apart, no sound", "We see you: 320×180, 30 fps, "+picture+". Private – nobody else sees this.", "key", "seen")
	if !strings.Contains(e.Steps[2].Says, "Keyframes every 8.3 s") || !strings.Contains(e.Steps[3].Says, "Mic/Aux") {
		t.Errorf("says %q and %q", e.Steps[2].Says, e.Steps[3].Says)
	}
	say(func(h *media.Health) {
		h.Keyframe, h.Warnings, h.Tracks = 2*time.Second, nil, []media.Track{video, audio}
	})
	all := "We see you: 320×180, 30 fps, " + picture + ", AAC stereo. Private – nobody else sees this."
	e = want("all of it", all, "key", "seen", "picture", "sound")
	if !strings.Contains(e.Steps[2].Says, "a keyframe every 2 s") {
		t.Errorf("says %q", e.Steps[2].Says)
	}
	s.wantPage("teacher", "/settings/obs", all, "All is set up.", "You are in rehearsal")
	if other := s.encoder("assistant"); other.Seen != "" || other.All {
		t.Errorf("the assistant sees the teacher's encoder: %+v", other)
	}
	s.k.Lessons.Ended(g, media.End{At: s.clock.Now(), Stopped: true})
	want("stopped", "", "key")
	s.must(s.k.Accounts.RevokeKey(t.Context(), s.people["teacher"].id, key.ID))
	want("revoked", "")
	s.wantPage("teacher", "/settings/obs", "Make a key.")
}

// The page hears of each step without asking.
func TestSetUpOBSHearsOfTheEncoder(t *testing.T) {
	s := newSchool(t)
	events := s.listen("teacher", "/api/v1/me/encoder/events", "")
	events.want("encoder", `"name":"seen","done":false`)
	s.stream("teacher")
	events.want("encoder", `"name":"seen","done":true`, "We see you")
}

// The page of keys names each attempt with its reason; the profile holds a key that works.
func TestStreamPage(t *testing.T) {
	s := newSchool(t)
	s.wantPage("teacher", "/settings/stream", "No encoder has tried yet.", "/settings/obs", "encoder_configurations", "--enable-multitrack-video-dev")
	key, err := s.k.Accounts.CreateKey(t.Context(), s.people["teacher"].id, "room <4>")
	s.must(err)
	try := func(k media.Key, change func(*media.Attempt)) error {
		a := media.Attempt{Protocol: media.RTMPS, Key: k, HasKey: true}
		change(&a)
		_, err := s.k.Lessons.Admit(t.Context(), a)
		s.clock.add(time.Minute)
		return err
	}
	for range 9 {
		s.must(try(key, func(*media.Attempt) {}))
	}
	s.must(try(key, func(a *media.Attempt) { a.Mistyped, a.Path = true, "/live/<abc>" }))
	if try(media.Key{ID: key.ID, Secret: "wrong"}, func(*media.Attempt) {}) == nil {
		t.Error("a wrong key was let in")
	}
	page := s.wantPage("teacher", "/settings/stream", "OBS tried at 06:40 with an old or mistyped key", "reads /live/&lt;abc&gt;.", "RTMPS, key “room &lt;4&gt;”", "Not let in", "You are in rehearsal")
	if n := strings.Count(page, "RTMPS, key"); n != 10 {
		t.Errorf("%d attempts on the page, want the last 10", n)
	}

	b := []byte(s.ask("teacher", "POST", "/settings/stream/profile.zip", "").body)
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	s.must(err)
	f, err := z.Open("Chalkcast/service.json")
	s.must(err)
	text, err := io.ReadAll(f)
	s.must(err)
	made, ok := media.FindKey(string(text))
	if !ok || !strings.Contains(string(text), "rtmp://school.example/live") {
		t.Fatalf("the profile holds no key: %s", text)
	}
	s.must(try(made, func(*media.Attempt) {}))
	s.wantPage("teacher", "/settings/stream", "ck_"+made.ID)
}

// A calendar that follows the address sees what the class page sees, and learns of moves and cancellations.
func TestCalendar(t *testing.T) {
	s := newSchool(t)
	id := s.lesson(24 * time.Hour)
	s.wantPage("student", "/settings/calendar", "Make my address")
	if a := s.ask("student", "POST", "/settings/calendar", ""); a.status != 303 {
		t.Fatalf("make: %d", a.status)
	}
	page := s.wantPage("student", "/settings/calendar", "Your calendar has its address.")
	_, rest, _ := strings.Cut(page, s.url+"/calendar/")
	address, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("no address in %.2000s", page)
	}
	feed := func() string {
		t.Helper()
		a := s.ask("nobody", "GET", "/calendar/"+address, "")
		if a.status != http.StatusOK {
			t.Fatalf("feed: %d %s", a.status, a.body)
		}
		return strings.ReplaceAll(a.body, "\r\n ", "")
	}
	has := func(when string, lines ...string) {
		t.Helper()
		text := feed()
		for _, line := range lines {
			if !strings.Contains(text, line+"\r\n") {
				t.Errorf("%s: no line %q in\n%s", when, line, text)
			}
		}
	}
	has("planned", "UID:"+id.String()+"@chalkcast", "SUMMARY:BIO-7B · Cells", "DTSTART:20311016T063000Z", "SEQUENCE:0", "STATUS:CONFIRMED", "URL:"+s.url+"/lessons/"+id.String())
	s.ask("teacher", "PATCH", "/api/v1/lessons/"+id.String(), `{"date":"2031-10-27"}`) // after the change of clocks
	has("moved", "UID:"+id.String()+"@chalkcast", "DTSTART:20311027T073000Z", "SEQUENCE:1", "STATUS:CONFIRMED")
	s.ask("teacher", "POST", "/api/v1/lessons/"+id.String()+"/cancel", `{"note":"Ill, sorry; until then"}`)
	has("cancelled", "SEQUENCE:2", "STATUS:CANCELLED", `DESCRIPTION:Course BIO-7B\nIll\, sorry\; until then`)
	s.ask("teacher", "POST", "/api/v1/lessons/"+id.String()+"/restore", "{}")
	has("restored", "SEQUENCE:3", "STATUS:CONFIRMED")
	if text := feed(); strings.Count(text, "BEGIN:VEVENT") != 1 {
		t.Errorf("more than one event of one lesson:\n%s", text)
	}

	s.ask("student", "POST", "/settings/calendar", "")
	if a := s.ask("nobody", "GET", "/calendar/"+address, ""); a.status != http.StatusNotFound {
		t.Errorf("the address that was replaced: %d", a.status)
	}
	one := s.ask("student", "GET", "/lessons/"+id.String()+"/calendar.ics", "")
	if one.status != http.StatusOK || strings.Count(one.body, "BEGIN:VEVENT") != 1 {
		t.Errorf("one lesson: %d %s", one.status, one.body)
	}
	s.wantPage("student", "/lessons/"+id.String(), "/lessons/"+id.String()+"/calendar.ics")
}
