package classroom_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chalkcast/classroom"
	"chalkcast/classroom/accounts"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/media"
)

// BenchmarkJoin is a class of 300 who are signed in and open their lesson at the same moment: the class page and the
// address of its player, on each kind of database that is there. Whom the server sends away, because the database has no
// connection free in time, comes back at once. One operation is one class.
func BenchmarkJoin(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkJoin(b, databasetest.New(b)) })
	if databasetest.HasPostgres() {
		b.Run("postgres", func(b *testing.B) { benchmarkJoin(b, databasetest.Postgres(b)) })
	}
}

func benchmarkJoin(b *testing.B, db *database.DB) {
	const class = 300
	set, err := pages()
	if err != nil {
		b.Fatal(err)
	}
	k, err := classroom.New(b.Context(), classroom.Config{
		DB: db, Pages: set, Origin: &origin{channels: map[media.ID]media.ChannelStatus{}}, Media: http.NotFoundHandler(),
		Ticket: func(media.ID, uint64, bool, time.Time) string { return "/p/x/l/x/index.m3u8" },
		Cost:   accounts.Cost{MemoryKiB: 64, Passes: 1}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	lesson := lessonOf(b, k, class)
	handler := k.Handler()
	cookies := make([]string, class)
	for i := range cookies {
		w := request(b, handler, "POST", "/api/v1/session", fmt.Sprintf(`{"email":"s%d@school.example","password":%q}`, i, password), "")
		cookies[i], _, _ = strings.Cut(w.Header().Get("Set-Cookie"), ";")
	}
	var busy atomic.Int64
	for b.Loop() {
		var all sync.WaitGroup
		for _, cookie := range cookies {
			all.Go(func() {
				for _, path := range []string{"/lessons/" + lesson.String(), "/api/v1/lessons/" + lesson.String() + "/playback"} {
					for request(b, handler, "GET", path, "", cookie).Code == http.StatusServiceUnavailable {
						busy.Add(1)
					}
				}
			})
		}
		all.Wait()
	}
	b.ReportMetric(float64(class*b.N)/b.Elapsed().Seconds(), "joins/s")
	b.ReportMetric(float64(busy.Load())/float64(b.N), "busy/op")
}

// lessonOf returns a lesson that is open, with so many students: s0@school.example and on.
func lessonOf(b *testing.B, k *classroom.Classroom, students int) media.ID {
	b.Helper()
	ctx := b.Context()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	hash, err := k.Accounts.HashPassword(ctx, password)
	must(err)
	people := make([]accounts.NewUser, students)
	for i := range people {
		people[i] = accounts.NewUser{DisplayName: fmt.Sprint("Student ", i), Email: fmt.Sprintf("s%d@school.example", i), PasswordHash: hash}
	}
	users, err := k.Accounts.CreateMany(ctx, 0, people)
	must(err)
	course, err := k.Courses.Create(ctx, 0, courses.NewCourse{Code: "BIO", Title: "Biology", Zone: "UTC"})
	must(err)
	var members []courses.NewMember
	for _, u := range users {
		members = append(members, courses.NewMember{User: u.ID, Role: courses.Student})
	}
	_, err = k.Courses.EnrollAll(ctx, 0, course.ID, members)
	must(err)
	lesson, err := k.Lessons.Begin(ctx, course.ID, "Cells", "UTC", users[0].ID)
	must(err)
	return lesson.ID
}

// request asks for a page and fails the benchmark for any answer but 200 and 503.
func request(b *testing.B, h http.Handler, method, path, body, cookie string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(b.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Cookie", cookie)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK && w.Code != http.StatusServiceUnavailable {
		b.Errorf("%s %s: %d %.200s", method, path, w.Code, w.Body)
	}
	return w
}
