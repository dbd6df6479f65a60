package classroom_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"chalkcast/classroom"
	"chalkcast/classroom/accounts"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/media"
)

// BenchmarkJoin is a class of 300 that is signed in and opens its lesson: the class page and the address of its player, as
// fast as they come, on each kind of database that is there. One operation is one student.
func BenchmarkJoin(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkJoin(b, databasetest.New(b)) })
	if databasetest.HasPostgres() {
		b.Run("postgres", func(b *testing.B) { benchmarkJoin(b, databasetest.Postgres(b)) })
	}
}

func benchmarkJoin(b *testing.B, db *database.DB) {
	const class = 300
	set, err := pages()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	must(err)
	k, err := classroom.New(b.Context(), classroom.Config{
		DB: db, Pages: set, Origin: &origin{channels: map[media.ID]media.ChannelStatus{}}, Media: http.NotFoundHandler(),
		Ticket: func(media.ID, uint64, bool, time.Time) string { return "/p/x/l/x/index.m3u8" },
		Cost:   accounts.Cost{MemoryKiB: 64, Passes: 1}, Log: slog.New(slog.DiscardHandler),
	})
	must(err)
	ctx := b.Context()
	hash, err := k.Accounts.HashPassword(ctx, password)
	must(err)
	var people []accounts.NewUser
	for i := range class {
		people = append(people, accounts.NewUser{DisplayName: fmt.Sprint("Student ", i), Email: fmt.Sprintf("s%d@school.example", i), PasswordHash: hash})
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

	handler := k.Handler()
	ask := func(method, path, body, cookie string) *http.Response {
		r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Result()
	}
	cookies := make([]string, class)
	for i := range cookies {
		res := ask("POST", "/api/v1/session", fmt.Sprintf(`{"email":"s%d@school.example","password":%q}`, i, password), "")
		if res.StatusCode != 200 {
			text, _ := io.ReadAll(res.Body)
			b.Fatalf("sign in: %d %s", res.StatusCode, text)
		}
		cookies[i], _, _ = strings.Cut(res.Header.Get("Set-Cookie"), ";")
	}
	i := 0
	for b.Loop() {
		cookie := cookies[i%class]
		i++
		for _, path := range []string{"/lessons/" + lesson.ID.String(), "/api/v1/lessons/" + lesson.ID.String() + "/playback"} {
			if res := ask("GET", path, "", cookie); res.StatusCode != 200 {
				b.Fatalf("%s: %d", path, res.StatusCode)
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "joins/s")
}
