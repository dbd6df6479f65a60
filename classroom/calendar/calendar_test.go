package calendar_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	parser "github.com/emersion/go-ical"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/calendar"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

var start = time.Date(2026, 10, 26, 8, 0, 0, 0, time.UTC)

func write(t *testing.T, s calendar.Stream) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Another implementation reads back what was written: names in every script, what the format escapes, long lines,
// changes and cancellations.
func TestAnotherParserReadsIt(t *testing.T) {
	events := []calendar.Event{
		{ID: "7h3k9m2p4q6rs", Start: start, End: start.Add(45 * time.Minute), Created: start.AddDate(0, -1, 0), Changed: start.AddDate(0, 0, -1), Revision: 3, Summary: "BIO-7B · Cells", URL: "https://school.example/lessons/7h3k9m2p4q6rs"},
		{ID: "2", Start: start, End: start.Add(time.Hour), Changed: start, Cancelled: true, Summary: `One; two, three \ "four": BEGIN:VEVENT`, Description: "First line\nSecond: 田中 美咲, ليان"},
		{ID: "3", Start: start, End: start.Add(time.Hour), Changed: start, Summary: strings.Repeat("細胞と組織、そして", 30)},
		{ID: "4", Start: start, End: start.Add(time.Hour), Changed: start, Summary: "\x00bell\a \xff end\r\nX-EVIL:1"},
	}
	text := write(t, calendar.Stream{Name: "Queenstown, Lakes; School", Events: events})
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line of %d octets: %q", len(line), line)
		}
	}
	cal, err := parser.NewDecoder(strings.NewReader(text)).Decode()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if name, err := cal.Props.Text("X-WR-CALNAME"); name != "Queenstown, Lakes; School" || err != nil {
		t.Errorf("name %q, %v", name, err)
	}
	if m, err := cal.Props.Text("METHOD"); m != "PUBLISH" || err != nil {
		t.Errorf("method %q, %v", m, err)
	}
	read := cal.Events()
	if len(read) != len(events) {
		t.Fatalf("%d events, want %d\n%s", len(read), len(events), text)
	}
	for i, e := range events {
		got := read[i]
		uid, _ := got.Props.Text("UID")
		summary, _ := got.Props.Text("SUMMARY")
		description, _ := got.Props.Text("DESCRIPTION")
		from, err := got.DateTimeStart(time.UTC)
		until, errEnd := got.DateTimeEnd(time.UTC)
		status, errStatus := got.Status()
		if uid != e.ID+"@chalkcast" || err != nil || errEnd != nil || errStatus != nil || !from.Equal(e.Start) || !until.Equal(e.End) {
			t.Errorf("event %d: uid %q, %v to %v, %v %v %v", i, uid, from, until, err, errEnd, errStatus)
		}
		if want := map[bool]parser.EventStatus{false: parser.EventConfirmed, true: parser.EventCancelled}[e.Cancelled]; status != want {
			t.Errorf("event %d: status %s, want %s", i, status, want)
		}
		if n, err := got.Props.Get("SEQUENCE").Int(); int64(n) != e.Revision || err != nil {
			t.Errorf("event %d: sequence %d, want %d", i, n, e.Revision)
		}
		if i < 3 && (summary != e.Summary || description != e.Description) {
			t.Errorf("event %d: %q and %q, want %q and %q", i, summary, description, e.Summary, e.Description)
		}
		if i == 3 && !strings.HasPrefix(summary, "bell ") {
			t.Errorf("event %d: summary %q", i, summary)
		}
		if got.Props.Get("X-EVIL") != nil {
			t.Errorf("event %d: a title became a property", i)
		}
	}
	if !strings.Contains(text, "DTSTART:20261026T080000Z\r\n") {
		t.Errorf("a start that needs a zone:\n%s", text)
	}
}

func TestEmptyStream(t *testing.T) {
	text := write(t, calendar.Stream{Name: "School"})
	if !strings.HasPrefix(text, "BEGIN:VCALENDAR\r\n") || !strings.Contains(text, "VERSION:2.0\r\n") || !strings.HasSuffix(text, "END:VCALENDAR\r\n") {
		t.Errorf("%q", text)
	}
}

func TestModels(t *testing.T) { databasetest.Models(t, &calendar.Link{}) }

// An address is one's own, can be shown again, and is dead when it is replaced or its owner is (SEC-02: nothing
// secret is stored).
func TestLinks(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		a, err := accounts.New(ctx, accounts.Config{DB: db})
		if err != nil {
			t.Fatal(err)
		}
		people, err := a.CreateMany(ctx, 0, []accounts.NewUser{{DisplayName: "Mei"}, {DisplayName: "Ola"}})
		if err != nil {
			t.Fatal(err)
		}
		mei, ola := people[0].ID, people[1].ID
		secret := bytes.Repeat([]byte{7}, 32)
		open := func() *calendar.Links {
			l, err := calendar.NewLinks(db, secret, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		l := open()
		wantOwner := func(token media.Secret, want media.ID) {
			t.Helper()
			got, err := l.Owner(ctx, string(token))
			if got != want || (want == 0) != fault.Is(err, fault.KindNotFound) {
				t.Errorf("owner %v, %v; want %v", got, err, want)
			}
		}
		if token, err := l.Token(ctx, mei); token != "" || err != nil {
			t.Errorf("before the first: %q, %v", string(token), err)
		}
		first, err := l.Replace(ctx, mei)
		if err != nil {
			t.Fatal(err)
		}
		wantOwner(first, mei)
		others, err := l.Replace(ctx, ola)
		if err != nil || others == first {
			t.Fatalf("another's: %v", err)
		}
		l = open() // a restarted server
		if again, err := l.Token(ctx, mei); again != first || err != nil {
			t.Errorf("shown again it is another, %v", err)
		}
		second, err := l.Replace(ctx, mei)
		if err != nil || second == first {
			t.Fatalf("replaced: %v", err)
		}
		wantOwner(first, 0)
		wantOwner(second, mei)
		flipped := map[bool]media.Secret{true: "b", false: "a"}[second[0] == 'a'] + second[1:]
		for _, bad := range []media.Secret{"", "a", second[1:], second + "a", flipped, media.Secret(strings.ToUpper(string(second))), media.Secret(strings.Repeat("a", 45)), media.Secret(strings.Repeat("a", 5000)), "\x00"} {
			wantOwner(bad, 0)
		}
		if err := a.Disable(ctx, 0, ola); err != nil {
			t.Fatal(err)
		}
		wantOwner(others, 0)
		secret = bytes.Repeat([]byte{8}, 32)
		l = open()
		wantOwner(second, 0)
	})
}
