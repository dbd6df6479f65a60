package classroom_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"chalkcast/classroom/captions"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/media"
)

const vtt = "WEBVTT\n\n00:01.000 --> 00:02.500\nCells & tissue\n"

func TestCaptionModels(t *testing.T) { databasetest.Models(t, &captions.Caption{}) }

// A teacher uploads captions, students of the course get them with the replay, and they go when the teacher removes
// them or the recording is too old.
func TestCaptions(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSchoolOn(t, db)
		id := s.held()
		page, api := "/lessons/"+id.String()+"/captions", "/api/v1/lessons/"+id.String()+"/captions/"
		s.wantPage("teacher", page, "This lesson has no captions yet.")
		s.wantPage("teacher", "/lessons/"+id.String()+"/studio", page)
		s.wantPage("assistant", "/lessons/"+id.String(), page)

		for _, wrong := range []struct{ lang, file, want string }{
			{"en", "", "class=\"field field-bad\"><label for=\"f-file\""},
			{"", vtt, "class=\"field field-bad\"><label for=\"f-lang\""},
			{"no language", vtt, "This is not the tag of a language"},
			{"en", "1\n00:00:01,000 --> 00:00:02,000\nCells\n", "An SRT file has to be exported"},
			{"en", "WEBVTT\n\n00:00:01,000 --> 00:00:02,000\nCells\n", "with a point, not with a comma"},
			{"en", vtt + strings.Repeat("a", captions.MaxBytes), "larger than 1 MB"},
		} {
			if a := s.upload("teacher", page, wrong.lang, wrong.file); a.status/100 != 4 || !strings.Contains(a.body, wrong.want) {
				t.Errorf("captions in %q of %d bytes: %d, and the page does not say %q", wrong.lang, len(wrong.file), a.status, wrong.want)
			}
		}
		if a := s.upload("teacher", page, "ja", "\ufeff"+vtt); a.status != 303 || a.location != page {
			t.Fatalf("upload: %d %s", a.status, a.body)
		}
		s.wantPage("assistant", page, "日本語", "1 caption", "1 language")
		if a := s.ask("teacher", "POST", api+"EN", vtt); a.status != 200 {
			t.Errorf("upload by the API: %d %s", a.status, a.body)
		}
		if a := s.ask("teacher", "POST", api+"en", "WEBVTT\n\n1 --> 2\na"); a.status != 400 || !strings.Contains(a.body, `"line":3`) {
			t.Errorf("a wrong file by the API: %d %s", a.status, a.body)
		}
		for who, status := range map[string]int{"nobody": 401, "student": 200, "outsider": 404, "teacher": 200, "admin": 200, "disabled": 401} {
			if a := s.ask(who, "GET", api+"ja", ""); a.status != status || (status == 200) != (a.body == vtt) {
				t.Errorf("%s gets the captions: %d %q, want %d", who, a.status, a.body, status)
			}
		}
		s.wantCaptions(id, "en English "+api+"en", "ja 日本語 "+api+"ja")

		if a := s.ask("teacher", "POST", page+"/remove", "lang=ja"); a.status != 303 {
			t.Errorf("remove: %d %s", a.status, a.body)
		}
		s.wantCaptions(id, "en English "+api+"en")
		s.clock.add(180*24*time.Hour + time.Minute)
		s.must(s.k.Sweep(t.Context()))
		if a := s.ask("teacher", "GET", api+"en", ""); a.status == 200 {
			t.Error("captions stay when their recording is too old")
		}
	})
}

// held is a lesson of the course that is over.
func (s *school) held() media.ID {
	s.t.Helper()
	id := s.lesson(0)
	s.beat(s.stream("teacher"))
	for _, order := range []string{"/live", "/end"} {
		if a := s.ask("teacher", "POST", "/api/v1/lessons/"+id.String()+order, "{}"); a.status != 200 {
			s.t.Fatalf("%s: %d %s", order, a.status, a.body)
		}
	}
	return id
}

// upload sends the form with a file.
func (s *school) upload(who, path, lang, file string) answer {
	s.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	s.must(form.WriteField("lang", lang))
	part, err := form.CreateFormFile("file", "cells.vtt")
	s.must(err)
	_, err = io.WriteString(part, file)
	s.must(err)
	s.must(form.Close())
	r, err := http.NewRequestWithContext(s.t.Context(), "POST", s.url+path, &b)
	s.must(err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	res, err := s.people[who].http.Do(r)
	s.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	s.must(err)
	return answer{res.StatusCode, string(body), res.Header.Get("Location")}
}

// wantCaptions looks at what a student's player is told.
func (s *school) wantCaptions(lesson media.ID, want ...string) {
	s.t.Helper()
	var p struct {
		Captions []struct{ Lang, Name, URL string }
	}
	s.json("student", "GET", "/api/v1/lessons/"+lesson.String()+"/playback", "", &p)
	var got []string
	for _, c := range p.Captions {
		got = append(got, c.Lang+" "+c.Name+" "+c.URL)
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		s.t.Errorf("the player is told %q, want %q", got, want)
	}
}
