package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chalkcast/hls/hlstest"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// shape is something about a stream that servers get wrong.
type shape struct {
	name   string
	parts  []mediatest.Stream // one after the other; the picture changes in between
	offset time.Duration      // what the encoder's clock shows at the first frame
}

const shortStream = 6 * time.Second

var shapes = []shape{
	{name: "B-frames", parts: []mediatest.Stream{{Duration: shortStream, BFrames: 2, Padding: 2000}}},
	{name: "no audio", parts: []mediatest.Stream{{Duration: shortStream, NoAudio: true, Padding: 2000}}},
	{name: "audio only", parts: []mediatest.Stream{{Duration: shortStream, NoVideo: true}}},
	{name: "8 s GOP", parts: []mediatest.Stream{{Duration: 10 * time.Second, FPS: 15, GOP: 120}}},
	{name: "resolution change", parts: []mediatest.Stream{
		{Duration: 4 * time.Second, NoAudio: true}, {Duration: 4 * time.Second, NoAudio: true, Width: 640, Height: 360},
	}},
	// RTMP needs an extended timestamp from 0xffffff ms on, and its clock wraps after 2³¹ ms in most encoders.
	{name: "clock over 24 bits", parts: []mediatest.Stream{{Duration: shortStream}}, offset: 0xffffff*time.Millisecond - 3*time.Second},
	{name: "clock over 31 bits", parts: []mediatest.Stream{{Duration: shortStream}}, offset: 1<<31*time.Millisecond - 3*time.Second},
}

func shapeOf(name string) shape {
	return shapes[slices.IndexFunc(shapes, func(s shape) bool { return s.name == name })]
}

// attempt is one encoder that comes through one door with one stream.
type attempt struct {
	program, door string
	shape

	teacher *visitor
	encoder *encoder
	watched *collected
}

func (a *attempt) name() string { return a.program + " " + a.door + " " + a.shape.name }

// collected is all that a strict viewer got.
type collected struct {
	index      *hlstest.Index
	renditions []*hlstest.Rendition
	err        error
	done       chan struct{}
}

// shortForm visits each program, door and shape; the long form is all of them with each other.
var shortForm = []attempt{
	{program: "ffmpeg", door: "rtmp", shape: shapeOf("B-frames")},
	{program: "ffmpeg", door: "rtmp", shape: shapeOf("clock over 24 bits")},
	{program: "ffmpeg", door: "rtmps", shape: shapeOf("audio only")},
	{program: "ffmpeg", door: "rtsp", shape: shapeOf("resolution change")},
	{program: "ffmpeg", door: "udp", shape: shapeOf("no audio")},
	{program: "gstreamer", door: "rtmp", shape: shapeOf("8 s GOP")},
	{program: "gstreamer", door: "rtmps", shape: shapeOf("no audio")},
	{program: "gstreamer", door: "rtsp", shape: shapeOf("B-frames")},
	{program: "gstreamer", door: "rtsps", shape: shapeOf("audio only")},
	{program: "gstreamer", door: "udp", shape: shapeOf("resolution change")},
}

func longForm() (all []attempt) {
	for _, program := range []string{"ffmpeg", "gstreamer"} {
		for _, door := range []string{"rtmp", "rtmps", "rtsp", "rtsps", "udp"} {
			for _, sh := range shapes {
				if sh.offset == 0 || program == "ffmpeg" { // GStreamer's muxer and payloader choose their own first time
					all = append(all, attempt{program: program, door: door, shape: sh})
				}
			}
		}
	}
	return all
}

// Every encoder, through every door, whatever is special about its stream: what it sends comes out once, in order,
// byte for byte and in time. CHALKCAST_LONG=1 tries all combinations.
func TestEncoders(t *testing.T) {
	t.Parallel()
	attempts := shortForm
	if os.Getenv("CHALKCAST_LONG") != "" {
		attempts = longForm()
	}
	s := openDoors(t)
	teachers := s.appoint(min(len(attempts), 5)) // so many at a time
	for batch := range slices.Chunk(attempts, len(teachers)) {
		s.publishAll(batch, teachers)
		for _, a := range batch {
			t.Run(a.name(), func(t *testing.T) { a.check(t) })
		}
	}
	s.checkMetrics()
}

// checkMetrics looks at what the operator is told of the doors.
func (s *school) checkMetrics() {
	s.t.Helper()
	operator := &visitor{t: s.t, base: "http://" + s.door("--metrics")}
	_, page := operator.do(http.MethodGet, "/metrics", nil)
	for _, door := range []string{"rtmp", "rtmps", "rtsp", "rtsps"} {
		for metric, want := range map[string]bool{"accepted_total": true, "waiting": false, "panics_total": false} {
			name := fmt.Sprintf("chalkcast_ingest_%s{door=%q} ", metric, door)
			_, value, found := strings.Cut(string(page), "\n"+name)
			value, _, _ = strings.Cut(value, "\n")
			if !found || want != (value != "0") {
				s.t.Errorf("metrics: %s%s", name, value)
			}
		}
	}
	if !strings.Contains(string(page), "\nchalkcast_ingest_broadcasts 0\n") {
		s.t.Error("metrics: no line says that no broadcast is left")
	}
}

// openDoors is a demo school with every door open, behind a certificate that this process trusts.
func openDoors(t *testing.T) *school {
	t.Helper()
	s := &school{t: t, dir: t.TempDir()}
	cert, key := authority.files(t, s.dir)
	address := func() string { return "127.0.0.1:" + freePort(t) }
	s.doors = []string{
		"--http", address(), "--rtmp", address(), "--rtmps", address(), "--rtsp", address(), "--rtsps", address(),
		"--rtsp-udp", "127.0.0.1:" + freeUDP(t), "--metrics", address(), "--tls-cert", cert, "--tls-key", key,
		"--data", filepath.Join(s.dir, "data"), "--log-level", "DEBUG",
	}
	t.Cleanup(s.close)
	file := filepath.Join(s.dir, "credentials.json")
	s.start(slices.Concat([]string{"demo", "--no-broadcast", "--no-term", "--credentials", file}, s.doors)...)
	s.waitUntil("the demo has written its credentials", func() bool {
		text, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(text, &s.credentials) == nil
	})
	s.waitReady()
	return s
}

// door returns the address behind a flag of openDoors.
func (s *school) door(flag string) string { return s.doors[slices.Index(s.doors, flag)+1] }

// teacher is somebody with an encoder.
type teacher struct {
	*visitor
	key media.Key
}

// appoint makes teachers of the first students, each with a stream key.
func (s *school) appoint(n int) (teachers []teacher) {
	s.t.Helper()
	admin := s.signIn(s.Admin)
	type enrollment struct {
		UserID string `json:"user_id"`
		Role   string `json:"role"`
	}
	var list struct {
		Enrollments []enrollment `json:"enrollments"`
	}
	for _, student := range s.Students[:n] {
		v := s.signIn(student)
		var me struct {
			User struct{ ID string } `json:"user"`
		}
		v.get("/api/v1/me", &me)
		list.Enrollments = append(list.Enrollments, enrollment{me.User.ID, "teacher"})
		teachers = append(teachers, teacher{visitor: v})
	}
	status, body := admin.do(http.MethodPost, "/api/v1/courses/"+s.CourseID+"/enrollments", list)
	if status != http.StatusOK {
		s.t.Fatalf("appoint %d teachers: got %d, want 200: %s", n, status, body)
	}
	for i := range teachers {
		page := teachers[i].form("/settings/keys", "name=laptop")
		at := strings.Index(page, "ck_")
		var ok bool
		if teachers[i].key, ok = media.FindKey(page[max(0, at):min(len(page), at+100)]); at < 0 || !ok {
			s.t.Fatalf("the settings page shows no new stream key:\n%s", page)
		}
	}
	return teachers
}

// form posts what a page's form would, and returns the page that answers.
func (v *visitor) form(path, values string) string {
	v.t.Helper()
	request, err := http.NewRequest(http.MethodPost, v.base+path, strings.NewReader(values))
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range v.cookie {
		request.AddCookie(c)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		v.t.Fatalf("POST %s: %v", path, err)
	}
	defer response.Body.Close()
	var page bytes.Buffer
	if _, err := page.ReadFrom(response.Body); err != nil || response.StatusCode != http.StatusOK {
		v.t.Fatalf("POST %s: %s, %v\n%s", path, response.Status, err, page.String())
	}
	return page.String()
}

// publishAll lets encoders stream at the same time, watches the previews of their teachers from the first frame on,
// and returns when all have ended, or were killed because they did not.
func (s *school) publishAll(attempts []attempt, teachers []teacher) {
	s.t.Helper()
	waiting := map[*attempt]bool{}
	for i := range attempts {
		a := &attempts[i]
		a.teacher = teachers[i].visitor
		a.encoder = s.startEncoder(a, teachers[i].key)
		a.watched = &collected{done: make(chan struct{})}
		waiting[a] = true
	}
	s.waitUntil("all previews can be played, or their encoders have ended", func() bool {
		for a := range waiting {
			if url := a.teacher.preview(s.LessonID).URL; url != "" {
				s.collect(url, a.watched)
				delete(waiting, a)
			} else if a.encoder.hasEnded() {
				a.watched.err = errors.New("there was no preview")
				close(a.watched.done)
				delete(waiting, a)
			}
		}
		return len(waiting) == 0
	})
	enough, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for i := range attempts {
		select {
		case <-attempts[i].encoder.ended:
		case <-enough.Done():
			attempts[i].encoder.kill()
		}
		<-attempts[i].watched.done
		if strings.Contains(s.log(), string(teachers[i].key.Secret)) {
			s.t.Errorf("%s: the log holds the stream key", attempts[i].name())
		}
	}
}

func (e *encoder) hasEnded() bool {
	select {
	case <-e.ended:
		return true
	default:
		return false
	}
}

// collect watches a channel until it ends.
func (s *school) collect(address string, into *collected) {
	player := &hlstest.Player{Patience: patience, Loose: true} // the last part is as short as it is
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	go func() { // ends with the stream, or after 90 s
		defer close(into.done)
		defer cancel()
		into.index, into.renditions, into.err = player.Collect(ctx, s.HTTP+address)
	}()
}

// How much of the end may be missing: ffmpeg gathers sound into RTP packets and keeps the last one to itself, and
// what is on its way over UDP when the encoder says goodbye comes too late.
func (a *attempt) tail(kind media.Kind) int {
	switch {
	case a.door == "udp":
		return 8
	case a.door == "rtsp" || a.door == "rtsps":
		if kind == media.Audio {
			return 2
		}
	}
	return 0
}

// apart is how far from its place in time a frame may be, and how far sound may be from its picture.
func (a *attempt) apart() (frame, kinds time.Duration) {
	if a.door == "rtmp" || a.door == "rtmps" {
		return time.Millisecond, time.Millisecond // RTMP knows whole milliseconds
	}
	// Clocks of RTP are brought together by sender reports, and those of GStreamer say when a packet was sent, instead of
	// when its frame was taken (rtcp-sync-send-time of rtpbin): on a busy machine that is later.
	if a.program == "gstreamer" {
		return time.Millisecond, 250 * time.Millisecond
	}
	return time.Millisecond, 5 * time.Millisecond
}

// corrections is how often sound may be moved to its picture, because a later report says better where it belongs.
func (a *attempt) corrections(kinds int) int {
	if _, apart := a.apart(); kinds == 2 && apart > 100*time.Millisecond {
		return 1
	}
	return 0
}

// clumsy encoders may fail to say goodbye: rtspclientsink of GStreamer 1.22 flushes its own connection while it sends
// the last RTCP packet, and then, now and again, calls that an error or waits for ever.
func (a *attempt) clumsy() bool {
	return a.program == "gstreamer" && (a.door == "udp" || strings.HasPrefix(a.door, "rtsp"))
}

func (a *attempt) check(t *testing.T) {
	if ok := a.encoder.cmd.ProcessState.Success(); !ok && !a.clumsy() {
		t.Errorf("%s ended with %v:\n%s", a.program, a.encoder.cmd.ProcessState, a.encoder.said)
	}
	if a.watched.err != nil {
		t.Fatalf("watch: %v", a.watched.err)
	}
	got, want := a.received(t), a.sent()
	for kind, frames := range want {
		a.compare(t, kind.String(), got[kind], frames, a.tail(kind))
	}
	if len(want) == 2 {
		_, most := a.apart()
		video, audio := got[media.Video], got[media.Audio]
		if len(video) == 0 || len(audio) == 0 {
			t.Fatalf("%d pictures and %d sounds", len(video), len(audio))
		}
		is := ticks(audio[0].PTS, audio[0].Clock) - ticks(video[0].PTS, video[0].Clock)
		if wanted := want[media.Audio][0].pts - want[media.Video][0].pts; (is - wanted).Abs() > most {
			t.Errorf("sound begins %v after the picture, want %v", is, wanted)
		}
	}
	last := a.watched.renditions[0].Segments
	n, least := last[len(last)-1].Disc, len(a.parts)-1
	if n < least || n > least+a.corrections(len(want)) {
		t.Errorf("%d discontinuities, want %d", n, least)
	}
}

// received returns what came out, and holds the rendition of the sound alone against the sound beside the picture.
func (a *attempt) received(t *testing.T) map[media.Kind][]hlstest.Unit {
	t.Helper()
	got := map[media.Kind][]hlstest.Unit{}
	var alone []hlstest.Unit
	for i, v := range a.watched.index.Variants {
		for _, u := range a.watched.renditions[i].Units {
			switch {
			case u.Clock == videoClock:
				got[media.Video] = append(got[media.Video], u)
			case strings.HasPrefix(v.URI, "a"):
				alone = append(alone, u)
			default:
				got[media.Audio] = append(got[media.Audio], u)
			}
		}
	}
	if len(got[media.Audio]) == 0 {
		got[media.Audio] = alone
	}
	same(t, "sound alone", alone, got[media.Audio])
	return got
}

// wanted is a frame as a viewer must get it.
type wanted struct {
	pts  time.Duration
	data []byte
}

// sent is what the encoder was given.
func (a *attempt) sent() map[media.Kind][]wanted {
	out := map[media.Kind][]wanted{}
	start := time.Duration(0)
	for _, s := range a.parts {
		tracks := s.Tracks()
		for _, f := range s.Frames() {
			track := tracks[f.Track]
			out[track.Kind] = append(out[track.Kind], wanted{start + f.PTS().Duration(track.Clock), f.Data})
		}
		start += s.Duration
	}
	return out
}

// compare holds units against frames. Parameter sets and delimiters do not count: encoders put them where they like.
func (a *attempt) compare(t *testing.T, what string, got []hlstest.Unit, want []wanted, tail int) {
	t.Helper()
	if missing := len(want) - len(got); missing < 0 || missing > tail {
		t.Errorf("%s: %d units, want %d (of which %d at the end may be missing)", what, len(got), len(want), tail)
	}
	most, _ := a.apart()
	wrong := 0
	for i := range min(len(got), len(want)) {
		g, w := got[i], want[i]
		problem := ""
		if pts, due := ticks(g.PTS-got[0].PTS, g.Clock), w.pts-want[0].pts; (pts - due).Abs() > most {
			problem = fmt.Sprintf("PTS %v, want %v", pts, due)
		}
		if g.Clock == videoClock && !bytes.Equal(pictureOnly(g.Data), w.data) || g.Clock != videoClock && !bytes.Equal(g.Data, w.data) {
			problem = fmt.Sprintf("%d bytes differ from the %d that were sent", len(g.Data), len(w.data))
		}
		if problem == "" {
			continue
		}
		if wrong++; wrong <= 3 {
			t.Errorf("%s: unit %d of %d: %s", what, i, len(got), problem)
		}
	}
	if wrong > 3 {
		t.Errorf("%s: %d units are wrong in all", what, wrong)
	}
}
