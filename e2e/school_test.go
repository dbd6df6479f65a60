package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	patience     = time.Minute // of a test on a busy machine; what a requirement wants sooner is held to that where it is
	stopTimeout  = 20 * time.Second
	pollInterval = 50 * time.Millisecond
)

// program is the binary under test, built once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "chalkcast-e2e-")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "chalkcast")
	build := exec.Command("go", append(append([]string{"build", "-o", name}, buildFlags...), "chalkcast/cmd/chalkcast")...)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the binary: %w\n%s", err, out)
	}
	return name, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if name, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(name))
	}
	os.Exit(code)
}

// account is somebody who can sign in.
type account struct {
	Email     string `json:"email"`
	Password  string `json:"password"`
	StreamKey string `json:"stream_key"` // of teachers
}

// credentials is what `demo --credentials FILE` writes.
type credentials struct {
	HTTP     string    `json:"http"` // http://127.0.0.1:PORT
	RTMP     string    `json:"rtmp"` // rtmp://127.0.0.1:PORT/live
	RTSP     string    `json:"rtsp"`
	Admin    account   `json:"admin"`
	Teacher  account   `json:"teacher"`
	Students []account `json:"students"`
	CourseID string    `json:"course_id"`
	LessonID string    `json:"lesson_id"`
}

// school is a running server with a demo school in it.
type school struct {
	credentials
	t     *testing.T
	dir   string // data, credentials and log of this school
	doors []string
	cmd   *exec.Cmd
	ended chan struct{}
}

// openSchool starts a demo school on free ports, without a broadcast of its own. It is taken down, and its log is
// searched for secrets, when the test ends.
func openSchool(t *testing.T) *school {
	t.Helper()
	return open(t, "--no-broadcast", "--no-term")
}

// openDemo is a school as the README's first command starts it, with a lesson on air.
func openDemo(t *testing.T) *school {
	t.Helper()
	return open(t)
}

func open(t *testing.T, flags ...string) *school {
	t.Helper()
	s := &school{t: t, dir: t.TempDir()}
	s.doors = []string{
		"--http", "127.0.0.1:" + freePort(t), "--rtmp", "127.0.0.1:" + freePort(t), "--rtsp", "",
		"--metrics", "", "--data", filepath.Join(s.dir, "data"), "--log-level", "DEBUG",
	}
	t.Cleanup(s.close)
	file := filepath.Join(s.dir, "credentials.json")
	s.start(slices.Concat([]string{"demo", "--credentials", file}, flags, s.doors)...)
	s.waitUntil("the demo has written its credentials", func() bool {
		text, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(text, &s.credentials) == nil
	})
	s.waitReady()
	return s
}

// in is the same school for a subtest.
func (s *school) in(t *testing.T) *school {
	other := *s
	other.t = t
	return &other
}

// start runs the binary. What it logs is added to the school's log; what it tells the person at the terminal, keys and
// links among it, is kept apart.
func (s *school) start(args ...string) {
	s.t.Helper()
	name, err := program()
	if err != nil {
		s.t.Fatal(err)
	}
	log, said := s.appendTo(s.logFile()), s.appendTo(filepath.Join(s.dir, "said"))
	defer log.Close()
	defer said.Close()
	s.cmd = exec.Command(name, args...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, said, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start chalkcast %s: %v", args[0], err)
	}
	ended := make(chan struct{})
	s.ended = ended
	cmd := s.cmd
	go func() { // ends with the process
		_ = cmd.Wait()
		close(ended)
	}()
}

func (s *school) appendTo(name string) *os.File {
	s.t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	return f
}

// restart opens the same folder at the same doors again, as after a crash.
func (s *school) restart() {
	s.t.Helper()
	s.start(append([]string{"serve"}, s.doors...)...)
	s.waitReady()
}

// kill ends the server as a power switch does.
func (s *school) kill() {
	s.t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatalf("kill -9: %v", err)
	}
	<-s.ended
}

// stop ends the server as systemd does, and fails the test when it does not go in peace.
func (s *school) stop() {
	s.t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
		if code := s.cmd.ProcessState.ExitCode(); code != 0 {
			s.t.Errorf("chalkcast ended with exit code %d after SIGTERM, want 0", code)
		}
	case <-time.After(stopTimeout):
		_ = s.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines go to the log
		<-s.ended
		s.t.Errorf("chalkcast did not stop within %v of SIGTERM", stopTimeout)
	}
}

func (s *school) running() bool {
	if s.cmd == nil {
		return false
	}
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// close ends the server and looks at what it leaves behind.
func (s *school) close() {
	if s.running() {
		s.stop()
	}
	log := s.log()
	if strings.Contains(log, "DATA RACE") {
		s.t.Error("the server has a data race")
	}
	if strings.Contains(log, "goroutine ") && strings.Contains(log, "panic") {
		s.t.Error("the server panicked")
	}
	s.checkSecrets()
	if s.t.Failed() {
		s.t.Logf("the server's log:\n%s", tail(log, 200))
	}
}

func (s *school) logFile() string { return filepath.Join(s.dir, "log") }

func (s *school) log() string {
	text, err := os.ReadFile(s.logFile())
	if err != nil {
		s.t.Errorf("read the log: %v", err)
	}
	return string(text)
}

func (s *school) waitReady() {
	s.t.Helper()
	s.waitUntil("the server is ready", func() bool {
		response, err := http.Get(s.HTTP + "/readyz")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// waitUntil asks again and again whether something has happened, and fails when it has not in time or the server
// has ended. It returns how long that took.
func (s *school) waitUntil(what string, happened func() bool) time.Duration {
	s.t.Helper()
	began := time.Now()
	for !happened() {
		if !s.running() {
			s.t.Fatalf("waited until %s; the server has ended", what)
		}
		if time.Since(began) > patience {
			s.t.Fatalf("waited %v until %s: it did not happen", patience, what)
		}
		time.Sleep(pollInterval)
	}
	return time.Since(began)
}

// publishURL is what a teacher's encoder is given, key and all.
func (s *school) publishURL() string { return s.RTMP + "/" + s.Teacher.StreamKey }

var (
	portsMu sync.Mutex
	ports   = map[int]bool{}
)

// freePort returns a port below the ephemeral range that nobody listens on and no other test was given: a server
// that was killed must find it free again.
func freePort(t *testing.T) string {
	t.Helper()
	portsMu.Lock()
	defer portsMu.Unlock()
	for range 200 {
		port := 20000 + rand.IntN(12000)
		if ports[port] {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		l.Close()
		ports[port] = true
		return fmt.Sprint(port)
	}
	t.Fatal("found no free port between 20000 and 32000")
	return ""
}

// visitor is a browser without a face: it keeps cookies and speaks JSON.
type visitor struct {
	t      *testing.T
	base   string
	cookie []*http.Cookie
}

// signIn opens a session through the API.
func (s *school) signIn(who account) *visitor {
	s.t.Helper()
	v := &visitor{t: s.t, base: s.HTTP}
	status, body := v.do(http.MethodPost, "/api/v1/session", map[string]string{"email": who.Email, "password": who.Password})
	if status != http.StatusOK {
		s.t.Fatalf("sign in as %s: got %d, want 200: %s", who.Email, status, body)
	}
	return v
}

// stranger is a visitor who has not signed in.
func (s *school) stranger() *visitor { return &visitor{t: s.t, base: s.HTTP} }

// do sends a request with body as JSON (none when nil) and returns status and answer.
func (v *visitor) do(method, path string, body any) (int, []byte) {
	v.t.Helper()
	status, answer, err := v.try(method, path, body)
	if err != nil {
		v.t.Fatalf("%s %s: %v", method, path, err)
	}
	return status, answer
}

func (v *visitor) try(method, path string, body any) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, v.base+path, sent)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	for _, c := range v.cookie {
		request.AddCookie(c)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	for _, c := range response.Cookies() {
		v.cookie = append(slices.DeleteFunc(v.cookie, func(old *http.Cookie) bool { return old.Name == c.Name }), c)
	}
	answer, err = io.ReadAll(io.LimitReader(response.Body, 16<<20))
	return response.StatusCode, answer, err
}

// get fills into from a GET that must succeed.
func (v *visitor) get(path string, into any) {
	v.t.Helper()
	status, body := v.do(http.MethodGet, path, nil)
	if status != http.StatusOK {
		v.t.Fatalf("GET %s: got %d, want 200: %s", path, status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		v.t.Fatalf("GET %s: %v in %s", path, err, body)
	}
}

// playback is the answer to where a lesson can be watched.
type playback struct {
	URL             string `json:"url"`
	Live            bool   `json:"live"`
	State           string `json:"state"`
	LatencyTargetMS int    `json:"latency_target_ms"`
}

func (v *visitor) playback(lesson string) (p playback) {
	v.t.Helper()
	v.get("/api/v1/lessons/"+lesson+"/playback", &p)
	return p
}

func (v *visitor) preview(lesson string) (p playback) {
	v.t.Helper()
	v.get("/api/v1/lessons/"+lesson+"/preview", &p)
	return p
}

// order sends a state change of a lesson: live or end.
func (v *visitor) order(lesson, verb string) {
	v.t.Helper()
	status, body := v.do(http.MethodPost, "/api/v1/lessons/"+lesson+"/"+verb, struct{}{})
	if status != http.StatusOK {
		v.t.Fatalf("POST %s: got %d, want 200: %s", verb, status, body)
	}
}

// goLive puts the lesson on air as soon as the teacher's stream has arrived.
func (s *school) goLive(teacher *visitor) {
	s.t.Helper()
	s.waitUntil("the teacher's preview can be played", func() bool {
		return teacher.preview(s.LessonID).URL != ""
	})
	teacher.order(s.LessonID, "live")
	s.waitUntil("the lesson can be played", func() bool {
		p := teacher.playback(s.LessonID)
		return p.Live && p.URL != ""
	})
}

// encoder is an ffmpeg that publishes.
type encoder struct {
	t     *testing.T
	cmd   *exec.Cmd
	said  *bytes.Buffer
	ended chan struct{}
}

// clip is the sample lesson: a file whose frames are known.
const clip = "../cmd/chalkcast/sample/clip.flv"

// publish sends the clip to url, at real time, rounds times (-1: until stopped), frames as they are in the file.
func publish(t *testing.T, url string, rounds int) *encoder {
	t.Helper()
	return ffmpeg(t, "-re", "-stream_loop", fmt.Sprint(max(rounds-1, -1)), "-i", clip, "-c", "copy", "-f", "flv", url)
}

// ffmpeg starts an encoder that is killed when the test ends.
func ffmpeg(t *testing.T, args ...string) *encoder {
	t.Helper()
	e := &encoder{t: t, said: &bytes.Buffer{}, ended: make(chan struct{})}
	e.cmd = exec.Command("ffmpeg", append([]string{"-nostdin", "-hide_banner", "-loglevel", "warning"}, args...)...)
	e.cmd.Stderr = e.said
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := e.cmd.Start(); err != nil {
		t.Fatalf("start ffmpeg: %v", err)
	}
	go func() { // ends with the process
		_ = e.cmd.Wait()
		close(e.ended)
	}()
	t.Cleanup(e.kill)
	return e
}

// kill ends the encoder as a lost laptop does.
func (e *encoder) kill() {
	if err := e.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		e.t.Errorf("kill ffmpeg: %v", err)
	}
	<-e.ended
}

// wait returns what ffmpeg said once it has ended by itself, and whether it ended well.
func (e *encoder) wait() (said string, ok bool) {
	e.t.Helper()
	select {
	case <-e.ended:
		return e.said.String(), e.cmd.ProcessState.Success()
	case <-time.After(patience):
		e.t.Fatalf("ffmpeg did not end within %v", patience)
		return "", false
	}
}

// tail returns the last n lines of text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
