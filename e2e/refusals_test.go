package e2e

import (
	"encoding/json"
	"html"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"chalkcast/media"
)

// problem is an error of the API (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
}

func parseProblem(t *testing.T, body []byte) (p problem) {
	t.Helper()
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("problem: %v in %s", err, body)
	}
	return p
}

var pageData = regexp.MustCompile(`data-page="[^"]*"`)

// studioSays waits until the studio page holds the sentence of the message table for a code.
func (s *school) studioSays(teacher *visitor, code string) {
	s.t.Helper()
	var sentences map[string]any // a text, or its plural forms
	if err := json.Unmarshal([]byte(readFile(s.t, "../templates/locales/en/studio.json")), &sentences); err != nil {
		s.t.Fatal(err)
	}
	want := ""
	sentence, _ := sentences["code."+code+".studio"].(string)
	for piece := range strings.SplitSeq(strings.ReplaceAll(sentence, "}}", "{{"), "{{") {
		if len(piece) > len(want) {
			want = piece
		}
	}
	if want == "" {
		s.t.Fatalf("there is no sentence for %s", code)
	}
	s.waitUntil("the studio says "+want, func() bool {
		_, body := teacher.do(http.MethodGet, "/lessons/"+s.LessonID+"/studio", nil)
		return strings.Contains(html.UnescapeString(pageData.ReplaceAllString(string(body), "")), want) // its script knows every sentence
	})
}

// All refusals in one school: each gets its answer, and at the end a good stream is let in as if nothing had been.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	teacher := s.signIn(s.Teacher)

	t.Run("wrong key", func(t *testing.T) {
		s := s.in(t)
		key := s.Teacher.StreamKey
		wrong := key[:len(key)-1] + map[bool]string{true: "b", false: "a"}[key[len(key)-1] == 'a']
		said, ok := publish(t, s.RTMP+"/"+wrong, 1).wait()
		if ok {
			t.Errorf("ffmpeg with a wrong key: was let in; it said %q", said)
		}
		s.studioSays(teacher, "key_wrong")
	})
	t.Run("unsupported codec", func(t *testing.T) {
		s := s.in(t)
		said, ok := ffmpeg(t, "-re", "-f", "lavfi", "-i", "testsrc=s=320x240:r=25", "-t", "20", "-c:v", "flv1", "-f", "flv", s.publishURL()).wait()
		if ok {
			t.Errorf("ffmpeg with Sorenson video: was let in; it said %q", said)
		}
		s.studioSays(teacher, "video_codec")
	})
	t.Run("over-long message", func(t *testing.T) { overlong(t, s.in(t)) })
	t.Run("wrong password", func(t *testing.T) { wrongPassword(t, s.in(t)) })
	t.Run("foreign lesson", func(t *testing.T) { foreignLesson(t, s.in(t)) })
	t.Run("good stream after all", func(t *testing.T) {
		s := s.in(t)
		e := publish(t, s.publishURL(), -1)
		s.goLive(teacher)
		e.kill()
	})
	t.Run("no lesson", func(t *testing.T) {
		s := s.in(t)
		teacher.order(s.LessonID, "end")
		publish(t, s.publishURL(), -1)
		// A rehearsal is let in, and stays private.
		s.waitUntil("there is a preview", func() bool { return teacher.preview(s.LessonID).URL != "" })
		if p := teacher.playback(s.LessonID); p.Live || (p.State != "ended" && p.State != "closed") {
			t.Errorf("ended lesson while its teacher rehearses: got %+v, want ended", p)
		}
	})
}

// overlong announces a message of 16 MiB before anybody knows who is talking.
func overlong(t *testing.T, s *school) {
	c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(s.RTMP, "rtmp://"), "/live"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	hello := append([]byte{3}, make([]byte, 1536)...)
	if _, err := c.Write(hello); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 1+2*1536)
	if _, err := io.ReadFull(c, answer); err != nil {
		t.Fatalf("handshake: %v", err)
	}
	if _, err := c.Write(answer[1:1537]); err != nil {
		t.Fatal(err)
	}
	// Chunk stream 3, type 0: time 0, length 0xffffff, command message, stream 0 (RTMP 1.0 section 5.3.1.2.1).
	header := []byte{3, 0, 0, 0, 0xff, 0xff, 0xff, 20, 0, 0, 0, 0}
	began := time.Now()
	_, _ = c.Write(append(header, make([]byte, 128)...)) // may fail: the server may hang up in the middle
	if n, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("after a message of 16 MiB was announced: read %d bytes, then %v, want that the server hangs up", n, err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("the server hung up after %v, want at once", took)
	}
}

// wrongPassword: a wrong password and an unknown address get the same words.
func wrongPassword(t *testing.T, s *school) {
	var answers []problem
	for _, try := range []account{{Email: s.Students[0].Email, Password: "not the password"}, {Email: "nobody@example.org", Password: "not the password"}} {
		status, body := s.stranger().do(http.MethodPost, "/api/v1/session", map[string]string{"email": try.Email, "password": try.Password})
		if status != http.StatusUnauthorized {
			t.Errorf("sign in as %s with a wrong password: got %d, want 401: %s", try.Email, status, body)
		}
		answers = append(answers, parseProblem(t, body))
	}
	if answers[0] != answers[1] || answers[0].Status != http.StatusUnauthorized {
		t.Errorf("wrong password and unknown address: got %+v and %+v, want the same", answers[0], answers[1])
	}
}

// foreignLesson: what a person may not know of is 404, and nothing at all is said to a stranger.
func foreignLesson(t *testing.T, s *school) {
	student := s.signIn(s.Students[0])
	id := media.NewID().String()
	for _, path := range []string{"/playback", "/events", "/register", "/register.csv", "/health"} {
		for _, lesson := range []string{id, "0", "-1", "..%2f" + s.LessonID, "9223372036854775808"} {
			if status, body := student.do(http.MethodGet, "/api/v1/lessons/"+lesson+path, nil); status != http.StatusNotFound {
				t.Errorf("GET lessons/%s%s as a student: got %d, want 404: %s", lesson, path, status, body)
			}
		}
		if status, _ := s.stranger().do(http.MethodGet, "/api/v1/lessons/"+s.LessonID+path, nil); status != http.StatusUnauthorized {
			t.Errorf("GET %s without a session: got %d, want 401", path, status)
		}
	}
	status, _ := student.do(http.MethodPost, "/api/v1/lessons/"+id+"/beats", map[string]any{"view": "abc", "n": 1, "state": "playing", "d_ms": 0, "pos": 0})
	if status != http.StatusNotFound && status != http.StatusForbidden {
		t.Errorf("beat for a foreign lesson: got %d, want 404 or 403", status)
	}
	for _, path := range []string{"/register", "/register.csv", "/health"} {
		if status, _ := student.do(http.MethodGet, "/api/v1/lessons/"+s.LessonID+path, nil); status != http.StatusForbidden && status != http.StatusNotFound {
			t.Errorf("GET %s of the own lesson as a student: got %d, want 403 or 404", path, status)
		}
	}
	if status, _ := student.do(http.MethodPost, "/api/v1/lessons/"+s.LessonID+"/end", struct{}{}); status != http.StatusForbidden && status != http.StatusNotFound {
		t.Errorf("end the lesson as a student: got %d, want 403 or 404", status)
	}
}
