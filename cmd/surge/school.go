package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// school is a demo school, as far as its credentials tell.
type school struct {
	credentials
	base     *url.URL
	gzip     bool
	sessions *sessions
}

// credentials are what the demo has written.
type credentials struct {
	HTTP     string    `json:"http"`
	RTMP     string    `json:"rtmp"`
	Students []account `json:"students"`
	class
	Classes []class `json:"classes"`
}

type class struct {
	Teacher  account `json:"teacher"`
	LessonID string  `json:"lesson_id"`
}

type account struct {
	Email     string `json:"email"`
	Password  string `json:"password"`
	StreamKey string `json:"stream_key"`
}

func openSchool(o *options) (*school, error) {
	s := &school{gzip: o.Gzip}
	if err := readJSON(o.Credentials, &s.credentials); err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	if s.LessonID == "" || len(s.Students) == 0 {
		return nil, fmt.Errorf("credentials: %s has no lesson or no students", o.Credentials)
	}
	var err error
	if s.base, err = url.Parse(s.HTTP); err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	s.sessions, err = openSessions(o.Sessions)
	return s, err
}

func readJSON(name string, v any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// classes are all lessons that are due.
func (s *school) classes() []class { return append([]class{s.class}, s.Classes...) }

func (s *school) of(st *stream) class { return s.classes()[st.number-1] }

func (s *school) publishURL(st *stream) string { return s.RTMP + "/" + s.of(st).Teacher.StreamKey }

func (s *school) saveSessions() error { return s.sessions.save() }

// sessions are the sign-ins of this run, and of earlier ones.
type sessions struct {
	file string

	mu    sync.Mutex // guards what follows
	seats map[string]*seat
}

// seat is the sign-in of one account.
type seat struct {
	mu      sync.Mutex // guards what follows; held while its owner signs in
	cookies map[string]string
	good    bool // the server knows them
}

func openSessions(file string) (*sessions, error) {
	s := &sessions{file: file, seats: map[string]*seat{}}
	if file == "" {
		return s, nil
	}
	cookies := map[string]map[string]string{}
	if err := readJSON(file, &cookies); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	for email, c := range cookies {
		s.seats[email] = &seat{cookies: c}
	}
	return s, nil
}

// save keeps the sign-ins. Everybody has left.
func (s *sessions) save() error {
	if s.file == "" {
		return nil
	}
	cookies := map[string]map[string]string{}
	for email, seat := range s.seats {
		if seat.good {
			cookies[email] = seat.cookies
		}
	}
	b, err := json.Marshal(cookies)
	if err == nil {
		err = os.WriteFile(s.file, b, 0o600)
	}
	if err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	return nil
}

func (s *sessions) of(email string) *seat {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seats[email] == nil {
		s.seats[email] = &seat{}
	}
	return s.seats[email]
}

// browser returns a connection of somebody who is signed in. Whoever comes with several devices signs in once.
func (s *school) browser(ctx context.Context, who account) (*wire, error) {
	seat := s.sessions.of(who.Email)
	seat.mu.Lock()
	defer seat.mu.Unlock()
	w := newWire(s.base, s.gzip, seat.cookies)
	if seat.good {
		return w, nil
	}
	if seat.cookies == nil || getJSON(ctx, w, s.path("/api/v1/me"), &struct{}{}) != nil { // of an earlier run
		if err := s.signIn(ctx, w, who); err != nil {
			w.close()
			return nil, fmt.Errorf("sign in: %w", err)
		}
	}
	seat.cookies, seat.good = maps.Clone(w.cookies), true
	return w, nil
}

// signIn sends the password until it is looked at: passwords are slow, and a queue that is full says so.
func (s *school) signIn(ctx context.Context, w *wire, who account) error {
	body, err := json.Marshal(map[string]string{"email": who.Email, "password": who.Password})
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		a, err := w.text(ctx, http.MethodPost, s.path("/api/v1/session"), string(body))
		if err != nil {
			return err
		}
		switch a.status {
		case http.StatusOK:
			return nil
		case http.StatusServiceUnavailable, http.StatusTooManyRequests:
			after, _ := strconv.Atoi(a.header.Get("Retry-After"))
			rest(ctx, time.Duration(max(after, 1))*time.Second+rand.N(time.Second))
		default:
			return status(a.status)
		}
	}
	return ctx.Err()
}

func (s *school) path(format string, a ...any) *url.URL {
	u, err := s.base.Parse(fmt.Sprintf(format, a...))
	if err != nil {
		return s.base // the lesson's name in the credentials is no path
	}
	return u
}

// goLive presses the teacher's button until there is a picture to go live with, and returns when students can watch.
func (s *school) goLive(ctx context.Context, st *stream) error {
	c := s.of(st)
	w, err := s.browser(ctx, c.Teacher)
	if err != nil {
		return err
	}
	defer w.close()
	for {
		a, err := w.text(ctx, http.MethodPost, s.path("/api/v1/lessons/%s/live", c.LessonID), "{}")
		switch {
		case err != nil:
			return err
		case a.status == http.StatusOK:
			return s.waitPlayback(ctx, w, c.LessonID)
		case a.status != http.StatusConflict:
			return status(a.status)
		}
		rest(ctx, 200*time.Millisecond)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func (s *school) waitPlayback(ctx context.Context, w *wire, lesson string) error {
	for ctx.Err() == nil {
		var p playback
		if err := getJSON(ctx, w, s.path("/api/v1/lessons/%s/playback", lesson), &p); err != nil || p.URL != "" {
			return err
		}
		rest(ctx, 200*time.Millisecond)
	}
	return ctx.Err()
}

// playback is what a page is told about its lesson's stream.
type playback struct {
	URL string `json:"url"`
}

// attendSchool is the n-th viewer of a school: page, events, beats and player.
func (s *surge) attendSchool(ctx context.Context, n int, st *stream) error {
	k, asked := s.school, time.Now()
	lesson := k.of(st).LessonID
	w, err := k.browser(ctx, k.Students[n%len(k.Students)])
	if err != nil {
		return err
	}
	defer w.close()
	var page sync.WaitGroup
	defer page.Wait()
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	if s.Page {
		if err := s.loadPage(ctx, w, lesson); err != nil {
			return err
		}
		page.Go(func() { s.listen(ctx, w.cookies, lesson) })
		page.Go(func() { s.beat(ctx, w.cookies, lesson) })
	}
	for ctx.Err() == nil {
		var p playback
		if err := getJSON(ctx, w, k.path("/api/v1/lessons/%s/playback", lesson), &p); err != nil {
			return fmt.Errorf("playback: %w", err)
		}
		if p.URL != "" {
			w.close()
			return s.watch(ctx, st, k.path("%s", p.URL), asked)
		}
		rest(ctx, 2*time.Second+rand.N(2*time.Second))
	}
	return nil
}

func getJSON(ctx context.Context, w *wire, at *url.URL, v any) error {
	a, err := w.text(ctx, http.MethodGet, at, "")
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return status(a.status)
	}
	b, err := a.plain()
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

var asset = regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`)

// loadPage loads the class page and, once for each student, what it is made of: names of static files change with
// their bytes, so a browser keeps them.
func (s *surge) loadPage(ctx context.Context, w *wire, lesson string) error {
	asked := time.Now()
	a, err := w.text(ctx, http.MethodGet, s.school.path("/lessons/%s", lesson), "")
	if err == nil && a.status != http.StatusOK {
		err = status(a.status)
	}
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	s.pages.add(a.at.Sub(asked))
	b, err := a.plain()
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	var names []string
	for _, m := range asset.FindAllSubmatch(b, -1) {
		names = append(names, string(m[1]))
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if a, err = w.media(ctx, s.school.path("%s", name), false); err == nil && a.status != http.StatusOK {
			err = status(a.status)
		}
		if err != nil {
			return fmt.Errorf("page's files: %w", err)
		}
	}
	return nil
}

// listen keeps the page's stream of events open, and opens it again as a browser does.
func (s *surge) listen(ctx context.Context, cookies map[string]string, lesson string) {
	for ctx.Err() == nil {
		w := newWire(s.school.base, false, cookies)
		w.extra = "Accept: text/event-stream\r\n"
		err := w.listen(ctx, s.school.path("/api/v1/lessons/%s/events", lesson), func(string) {})
		if ctx.Err() == nil {
			s.fail(fmt.Errorf("events: %w", err))
			rest(ctx, 2*time.Second+rand.N(time.Second))
		}
	}
}

// beatEvery is the page's pace until the server names another.
const beatEvery = 15 * time.Second

// report is a beat.
type beat struct {
	View  string `json:"view"`
	N     int    `json:"n"`
	State string `json:"state"`
	DMS   int64  `json:"d_ms"`
	Pos   int64  `json:"pos"`
}

// beat reports that the page plays, now and then in the server's rhythm.
func (s *surge) beat(ctx context.Context, cookies map[string]string, lesson string) {
	w := newWire(s.school.base, false, cookies)
	defer w.close()
	view := strconv.FormatUint(rand.Uint64(), 36)
	last, every := time.Now(), beatEvery
	for n := 0; ctx.Err() == nil; n++ {
		now := time.Now()
		body, err := json.Marshal(beat{View: view, N: n, State: "playing", DMS: now.Sub(last).Milliseconds()})
		if err != nil {
			return
		}
		a, err := w.text(ctx, http.MethodPost, s.school.path("/api/v1/lessons/%s/beats", lesson), string(body))
		switch {
		case err != nil && ctx.Err() != nil:
			return
		case err == nil && a.status == http.StatusOK:
			last = now
			s.beats.add(a.at.Sub(now))
			var said struct {
				IntervalMS int64 `json:"interval_ms"`
			}
			if json.Unmarshal(a.body, &said) == nil && said.IntervalMS > 0 {
				every = time.Duration(said.IntervalMS) * time.Millisecond
			}
		case err == nil:
			err = status(a.status)
		}
		if err != nil {
			s.fail(fmt.Errorf("beat: %w", err))
		}
		rest(ctx, every-every/20+rand.N(every/10))
	}
}
