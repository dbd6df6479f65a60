package chat_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/chat"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

func TestModels(t *testing.T) { databasetest.Models(t, chat.Models()...) }

// each runs a test with a running school on every kind of database.
func each(t *testing.T, test func(t *testing.T, s *school)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSchool(t, db)
		s.open()
		test(t, s)
	})
}

func TestMessageReachesEverybodyOnce(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		sam, tina := s.follow("sam", chat.Unseen), s.follow("tina", chat.Unseen)
		text := `<b>What</b> is "a cell"?`
		first := s.post("sue", "/chat", m{"text": text, "nonce": "n1"})
		if again := s.post("sue", "/chat", m{"text": text, "nonce": "n1"}); again != first {
			t.Errorf("the same message sent twice is %s and %s", first, again)
		}
		sam.until("sam reads it", func() bool { return len(sam.messages) > 0 })
		tina.until("tina reads it", func() bool { return len(tina.messages) > 0 })
		got, staff := sam.messages[id(t, first)], tina.messages[id(t, first)]
		// On air for 3 and for 5 minutes, with 2 in between.
		if got.Text != text || got.By != "Person sue" || got.Role != "student" || got.Private || got.PosMS != 480_000 || !got.At.Equal(s.now()) {
			t.Errorf("sam reads %+v", got)
		}
		if got.User != "" || staff.User != s.people["sue"].ID.String() {
			t.Errorf("the author's id: %q for students, %q for staff", got.User, staff.User)
		}
		if n, _ := s.read("sol", ""); len(n.Messages) != 1 || !n.Fresh || n.Messages[0].Text != text || n.Room.Mode != chat.All {
			t.Errorf("a fresh page reads %+v", n)
		}

		s.post("tina", "/chat/"+first+"/remove", nil)
		s.post("tina", "/chat/"+first+"/remove", nil) // somebody was faster
		sam.until("it is gone", func() bool { return sam.messages[id(t, first)].Removed })
		if n, body := s.read("sol", ""); len(n.Messages) != 0 || strings.Contains(body, "cell") {
			t.Errorf("a removed message is still there: %s", body)
		}
		lines, err := audit.Of(t.Context(), s.db.Reader(), audit.Object("lesson", s.lesson), 10)
		if err != nil || len(lines) != 1 || lines[0].Action != "chat.remove" || strings.Contains(fmt.Sprint(lines[0].Detail), "cell") {
			t.Errorf("audit lines %+v, %v, want one of a removal, without the text", lines, err)
		}
	})
}

// What is only for the teacher is on the wire to staff and its author, and to nobody else in any form.
func TestPrivateMessagesStayPrivate(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.post("tina", "/chat/settings", m{"mode": "teacher"})
		sue, sam, tina := s.follow("sue", chat.Unseen), s.follow("sam", chat.Unseen), s.follow("tina", chat.Unseen)
		own := s.say("sue", "I do not understand mitosis")
		s.say("tina", "Thank you all")
		sue.until("the author reads her own", sue.sees("mitosis"))
		tina.until("the teacher reads it", tina.sees("mitosis"))
		sue.until("the author reads the teacher", sue.sees("Thank you all"))
		sam.until("a classmate reads the teacher", sam.sees("Thank you all"))
		if !sue.messages[id(t, own)].Private {
			t.Error("the author is not told that only the teacher reads it")
		}
		s.post("tina", "/chat/"+own+"/remove", nil)
		s.say("tina", "Go on")
		sue.until("the author's page drops it", func() bool { return sue.messages[id(t, own)].Removed })
		sam.until("what came after", sam.sees("Go on"))
		_, fresh := s.read("sam", "")
		_, changes := s.read("sam", "?after=0")
		again := s.follow("sam", 0)
		again.until("a page that comes back", again.sees("Go on"))
		for where, text := range map[string]string{"stream": sam.wire.String(), "fresh": fresh, "changes": changes, "reconnect": again.wire.String()} {
			if strings.Contains(text, "mitosis") || strings.Contains(text, own) {
				t.Errorf("%s of a classmate holds a private message: %s", where, text)
			}
		}
		if n, _ := s.read("ann", ""); len(n.Messages) != 2 {
			t.Errorf("an admin reads %d messages, want the two that are left", len(n.Messages))
		}
	})
}

func TestModerationHolds(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		sue := s.follow("sue", chat.Unseen)
		s.post("tina", "/chat/settings", m{"mode": "all", "slow_s": 30})
		s.say("sue", "one")
		s.refused("sue", "/chat", m{"text": "two"}, 429, "chat.slow")
		s.say("sam", "another student")
		s.say("tina", "staff")
		s.say("tina", "does not wait")
		s.pass(30 * time.Second)
		s.say("sue", "three")

		s.post("tina", "/mutes", m{"user_id": s.people["sue"].ID, "muted": true})
		sue.until("sue is told", func() bool { return sue.muted != nil && *sue.muted })
		s.pass(time.Minute)
		s.refused("sue", "/chat", m{"text": "four"}, 403, "chat.muted")
		s.refused("sue", "/questions", m{"text": "four?"}, 403, "chat.muted")
		s.post("sue", "/hand", m{"up": true}) // she can still ask for the word
		if n, _ := s.read("sue", ""); n.Muted == nil || !*n.Muted {
			t.Error("a reloaded page does not know that it may not write")
		}
		if n, _ := s.read("tina", ""); len(n.Mutes) != 1 || n.Mutes[0].User != s.people["sue"].ID {
			t.Errorf("staff reads mutes %+v", n.Mutes)
		}
		s.post("tina", "/mutes", m{"user_id": s.people["sue"].ID, "muted": false})
		s.say("sue", "five")
		s.refused("tina", "/mutes", m{"user_id": s.people["tina"].ID, "muted": true}, 404, "not_found")

		s.post("tina", "/chat/settings", m{"mode": "off"})
		s.pass(time.Minute)
		s.refused("sam", "/chat", m{"text": "six"}, 409, "chat.off")
		s.say("tina", "staff can")
		for _, bad := range []m{{"mode": "loud"}, {"mode": "all", "slow_s": -1}, {"mode": "all", "slow_s": 601}, {}} {
			s.refused("tina", "/chat/settings", bad, 400, "invalid")
		}
		lines, err := audit.Of(t.Context(), s.db.Reader(), audit.Object("lesson", s.lesson), 10)
		if err != nil || len(lines) != 2 || lines[0].Action != "chat.unmute" || lines[1].Action != "chat.mute" {
			t.Errorf("audit lines %+v, %v", lines, err)
		}
	})
}

func TestQuestionsArePrivateUntilPinned(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		sue, sam, tina := s.follow("sue", chat.Unseen), s.follow("sam", chat.Unseen), s.follow("tina", chat.Unseen)
		asked := s.post("sue", "/questions", m{"text": "Is this in the test?", "nonce": "q"})
		if again := s.post("sue", "/questions", m{"text": "Is this in the test?", "nonce": "q"}); again != asked {
			t.Errorf("asked twice: %s and %s", asked, again)
		}
		q := id(t, asked)
		sue.until("the author sees it", func() bool { return sue.asked[q].Mine })
		tina.until("the teacher sees who asks", func() bool { return tina.asked[q].By == "Person sue" })
		s.post("tina", "/questions/"+asked+"/answer", m{"text": "No."})
		sue.until("the answer", func() bool { return sue.asked[q].Answer == "No." && sue.asked[q].Answered })
		s.say("tina", "so far nothing")
		sam.until("others", sam.sees("so far nothing"))
		if _, body := s.read("sam", ""); strings.Contains(sam.wire.String()+body, "in the test") || strings.Contains(sam.wire.String()+body, asked) {
			t.Errorf("a classmate knows of a private question: %s", sam.wire.String())
		}

		s.post("tina", "/questions/"+asked+"/pin", m{"pinned": true})
		sam.until("it is pinned", func() bool { return sam.asked[q].Pinned && sam.asked[q].Answer == "No." })
		n, body := s.read("sol", "")
		if len(n.Questions) != 1 || strings.Contains(body, "sue") || strings.Contains(sam.wire.String(), "Person sue") || strings.Contains(body, s.people["sue"].ID.String()) {
			t.Errorf("a pinned question tells who asked: %s", body)
		}
		s.post("tina", "/questions/"+asked+"/pin", m{"pinned": false})
		sam.until("it is gone", func() bool { return sam.asked[q].Gone })
		sue.until("its author keeps it", func() bool { return sue.asked[q].Gone || !sue.asked[q].Pinned })
		if n, _ := s.read("sue", ""); len(n.Questions) != 1 || !n.Questions[0].Mine {
			t.Errorf("the author reads %+v", n.Questions)
		}
		s.refused("tina", "/questions/"+media.NewID().String()+"/answer", m{"text": "?"}, 404, "not_found")
		s.refused("sam", "/questions/"+asked+"/answer", m{"text": "?"}, 403, "forbidden")
	})
}

func TestHandsStandInLine(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		sam, tina := s.follow("sam", chat.Unseen), s.follow("tina", chat.Unseen)
		for _, who := range []string{"sue", "sam", "sol", "sam"} { // a hand that is up stays where it is
			s.post(who, "/hand", m{"up": true})
		}
		tina.until("three hands", func() bool { return len(tina.last) == 3 })
		sam.until("three hands", func() bool { return len(sam.last) == 3 })
		line := map[int]string{}
		var mine chat.Hand
		for _, h := range sam.last {
			place := 1
			for _, other := range sam.last {
				if other.Order < h.Order {
					place++
				}
			}
			line[place] = tina.last[h.ID.String()].By
			if h.Mine {
				mine = h
				if place != 2 {
					t.Errorf("sam is at place %d, want 2", place)
				}
			}
			if h.By != "" || h.User != "" {
				t.Errorf("a student is told whose hand it is: %+v", h)
			}
		}
		if fmt.Sprint(line) != "map[1:Person sue 2:Person sam 3:Person sol]" || mine.ID == 0 {
			t.Errorf("line %v, own hand %+v", line, mine)
		}
		s.post("tina", "/hands/"+mine.ID.String()+"/call", nil)
		sam.until("sam is called", func() bool { return sam.last[mine.ID.String()].Called })
		s.post("sam", "/hand", m{"up": false})
		sam.until("sam's hand is down", func() bool { return !sam.last[mine.ID.String()].Up })
		s.post("tina", "/hands/"+mine.ID.String()+"/lower", nil) // somebody was faster
		s.post("tina", "/hands/lower", nil)
		tina.until("all are down", func() bool {
			for _, h := range tina.last {
				if h.Up {
					return false
				}
			}
			return true
		})
		s.post("sam", "/hand", m{"up": true})
		if n, _ := s.read("sam", ""); len(n.Hands) != 1 || !n.Hands[0].Mine || n.Hands[0].ID == mine.ID {
			t.Errorf("a fresh page reads hands %+v, want a new one of sam's", n.Hands)
		}
		s.refused("sue", "/hands/lower", nil, 403, "forbidden")
	})
}

func TestPollsTellWhenTheyClose(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		for _, bad := range []struct {
			body any
			code string
		}{
			{m{"text": "", "options": []string{"a", "b"}}, "field.missing"},
			{m{"text": "x", "options": []string{"a"}}, "poll.options"},
			{m{"text": "x", "options": strings.Split("abcdefghi", "")}, "poll.options"},
			{m{"text": "x", "options": []string{"a", " a"}}, "poll.same_option"},
			{m{"text": "x", "options": []string{"a", strings.Repeat("b", 101)}}, "field.too_long"},
		} {
			s.refused("tina", "/polls", bad.body, 400, bad.code)
		}
		sam, tina := s.follow("sam", chat.Unseen), s.follow("tina", chat.Unseen)
		asked := s.post("tina", "/polls", m{"text": "Plant or animal?", "options": []string{"Plant", "Animal", "Neither"}})
		p, vote := id(t, asked), "/polls/"+asked+"/vote"
		s.refused("tina", "/polls", m{"text": "Another?", "options": []string{"a", "b"}}, 409, "poll.open")
		s.post("sue", vote, m{"choices": []int{0}})
		s.post("sue", vote, m{"choices": []int{1}}) // she thinks again
		s.post("sam", vote, m{"choices": []int{1}})
		for _, bad := range [][]int{{0, 1}, {3}, {-1}, {8}} {
			s.refused("sol", vote, m{"choices": bad}, 400, "invalid")
		}
		tina.until("the teacher sees the votes", func() bool { return tina.polls[p].Voters == 2 })
		if got := fmt.Sprint(tina.polls[p].Counts); got != "[0 2 0]" {
			t.Errorf("counts %s", got)
		}
		sam.until("students see the poll", func() bool { return sam.polls[p].Open })
		if n, body := s.read("sam", ""); fmt.Sprint(n.Polls[0].Vote) != "[1]" || strings.Contains(body+sam.wire.String(), "counts") {
			t.Errorf("while it is open a student reads %s", body)
		}
		s.post("tina", "/polls/"+asked+"/close", nil)
		sam.until("the result", func() bool { return !sam.polls[p].Open && sam.polls[p].Voters == 2 })
		s.refused("sol", vote, m{"choices": []int{0}}, 409, "poll.closed")

		s.pass(time.Minute)
		many := s.post("tina", "/polls", m{"text": "Which?", "multiple": true, "options": []string{"a", "b"}})
		s.post("sue", "/polls/"+many+"/vote", m{"choices": []int{0, 1}})
		s.must(s.db.Tx(t.Context(), func(tx databaseTx) error {
			_, err := s.chat.Erase(t.Context(), tx, s.people["sue"].ID)
			return err
		}))
		n, _ := s.read("sol", "")
		if len(n.Polls) != 2 || fmt.Sprint(n.Polls[0].Counts) != "[0 2 0]" || n.Polls[1].Counts != nil {
			t.Errorf("polls after a voter was erased: %+v, want what was counted", n.Polls)
		}
		if n, _ := s.read("tina", ""); n.Polls[1].Voters != 0 {
			t.Errorf("an erased vote still counts in an open poll: %+v", n.Polls[1])
		}
	})
}

// Nobody misses anything: not who was away a moment, not who was away long, not across a restart of the server.
func TestNothingIsMissed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSchool(t, db)
		closeFirst := s.open()
		s.say("tina", "before")
		here, _ := s.read("sam", "")
		keeper := s.follow("sue", here.Rev) // keeps the room in memory
		s.say("tina", "while away")
		keeper.until("it is told", keeper.sees("while away"))
		back := s.follow("sam", here.Rev)
		back.until("from memory", back.sees("while away"))
		if len(back.messages) != 1 {
			t.Errorf("came back to %d messages, want the one that was missed", len(back.messages))
		}
		old := s.follow("sam", 0)
		old.until("from the database", old.sees("before"))
		old.until("all of it", old.sees("while away"))

		closeFirst()
		s.refused("tina", "/chat", m{"text": "nobody writes"}, 503, "chat.not_sent")
		s.open()
		s.say("tina", "after the restart")
		again := s.follow("sam", here.Rev)
		again.until("both", func() bool { return len(again.messages) == 2 })
		if n, _ := s.read("sam", after(here.Rev)); len(n.Messages) != 2 || n.Fresh {
			t.Errorf("asked for changes: %+v", n)
		}
		if n, _ := s.read("sam", after(n0(again.rev))); len(n.Messages) != 0 || n.Fresh {
			t.Errorf("nothing is new, but got %+v", n)
		}
		restored := s.follow("sam", 1_000_000)
		restored.until("a page that has seen more than there is begins anew", func() bool { return len(restored.messages) == 3 })
		if a := s.ask("sam", "GET", "/chat?after=-1", nil); a.status != 400 {
			t.Errorf("?after=-1: %d", a.status)
		}
	})
}

// A page that does not read is sent away, and nobody waits for it.
func TestSlowPageIsSentAway(t *testing.T) {
	s := newSchool(t, databasetest.New(t))
	s.open()
	quick := s.follow("sam", chat.Unseen)
	slow, err := s.chat.Listen(t.Context(), s.lesson, s.reader("sue"), chat.Unseen)
	s.must(err)
	defer slow.Close()
	slow.Next() // how the room stands
	quick.until("how the room stands", func() bool { return quick.rev != "" })
	for i := range 5 {
		s.say("tina", fmt.Sprint("line ", i))
		quick.until("line", quick.sees(fmt.Sprint("line ", i)))
	}
	if events, ok := slow.Next(); !ok || len(events) != 1 {
		t.Errorf("a page that lags a little got %d events, %t", len(events), ok)
	}
	s.chat.Lag(s.lesson, chat.FramesKept)
	if _, ok := slow.Next(); ok {
		t.Error("a page that lags far was not sent away")
	}
	if got := s.count("chalkcast_chat_dropped_total"); got != 1 {
		t.Errorf("%v pages dropped, want 1", got)
	}
	quick.l.Close()
	slow.Close()
	quick.l = s.follow("sam", chat.Unseen).l
	if got := s.count("chalkcast_chat_messages_total"); got != 5 {
		t.Errorf("%v messages counted, want 5", got)
	}
}

// One student cannot flood a room, and all together write no more than can be read.
func TestFloodsAreHeld(t *testing.T) {
	s := newSchool(t, databasetest.New(t))
	s.open()
	taken := 0
	for range 20 {
		a := s.ask("sue", "POST", "/chat", m{"text": "spam"})
		if a.status == http.StatusCreated {
			taken++
		} else if a.status != 429 || a.code != "chat.too_fast" {
			t.Fatalf("flood: %d %s", a.status, a.body)
		}
	}
	if taken != 4 {
		t.Errorf("took %d of 20 at once, want 4", taken)
	}
	s.pass(2 * time.Second)
	s.say("sue", "one more")
	for range 30 {
		s.ask("sue", "POST", "/chat", m{"text": "spam"})
	}
	if a := s.ask("sue", "POST", "/hand", m{"up": true}); a.status != 429 {
		t.Errorf("after 50 tries: %d", a.status)
	}
	for _, c := range []struct {
		body   string
		status int
	}{
		{`{"text":"` + strings.Repeat("a", 64<<10) + `"}`, 413},
		{`{"text":"` + strings.Repeat("a", 600) + `"}`, 400},
		{`{"text":"a","nonce":"` + strings.Repeat("n", 41) + `"}`, 400},
		{`{"text":"a","nonce":"x y"}`, 400},
		{`{"text":["a"]}`, 400},
		{`{"text":"\u200b\u200b"}`, 400},
		{`{"text":"\ud83d"}`, 400},
		{`{`, 400},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/api/v1/lessons/"+s.lesson.String()+"/chat", strings.NewReader(c.body))
		s.must(err)
		r.AddCookie(&http.Cookie{Name: "cc", Value: "sam"})
		res, err := http.DefaultClient.Do(r)
		s.must(err)
		res.Body.Close()
		if res.StatusCode != c.status {
			t.Errorf("%.40s: %d, want %d", c.body, res.StatusCode, c.status)
		}
	}
	if n, _ := s.read("sol", ""); len(n.Messages) != 5 {
		t.Errorf("%d messages in the room, want 5", len(n.Messages))
	}
}

func TestRoomOpensAndCloses(t *testing.T) {
	s := newSchool(t, databasetest.New(t))
	s.open()
	said := s.say("sue", "hello")
	for state, code := range map[string]string{"planned": "lesson.too_early", "cancelled": "lesson.cancelled", "closed": "chat.closed"} {
		s.exec("UPDATE lessons SET state = ?, planned_start_at = ? WHERE id = ?", state, database.At(nine.Add(2*time.Hour)), s.lesson)
		s.refused("sam", "/chat", m{"text": "x"}, 409, code)
		s.refused("sam", "/questions", m{"text": "x"}, 409, code)
		s.refused("sam", "/hand", m{"up": true}, 409, code)
		s.refused("tina", "/polls", m{"text": "x", "options": []string{"a", "b"}}, 409, code)
		s.pass(time.Minute)
	}
	s.post("tina", "/chat/"+said+"/remove", nil) // what should not be there goes away also later
	s.exec("UPDATE lessons SET state = 'ended' WHERE id = ?", s.lesson)
	s.say("sam", "thank you")
	s.refused("ann", "/chat", m{"text": "an admin only reads"}, 403, "forbidden")
}

// SEC-83, SEC-84: what somebody wrote can be erased, and goes away with time.
func TestEraseAndSweep(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		write := func(who, text string) {
			s.say(who, text)
			s.post(who, "/questions", m{"text": text})
			s.post(who, "/hand", m{"up": true})
		}
		write("sue", "sue's own words")
		write("sam", "sam's own words")
		s.must(s.db.Tx(t.Context(), func(tx databaseTx) error {
			_, err := s.chat.Erase(t.Context(), tx, s.people["sue"].ID)
			return err
		}))
		n, body := s.read("tina", "")
		if strings.Contains(body, "sue") || len(n.Messages) != 1 || len(n.Questions) != 1 || len(n.Hands) != 1 {
			t.Errorf("after erasing sue: %s", body)
		}
		s.pass(24 * time.Hour)
		write("sol", "new words")
		rows, err := s.chat.Sweep(t.Context(), s.now().Add(-time.Hour))
		if n, body := s.read("tina", ""); err != nil || rows != 3 || len(n.Messages) != 1 || strings.Contains(body, "sam") {
			t.Errorf("swept %d rows, %v; left %s", rows, err, body)
		}
	})
}

// A room that is full takes nothing from a lesson's attendance: it has a queue of its own.
func TestFullRoomDelaysNoBeats(t *testing.T) {
	s := newSchool(t, databasetest.New(t))
	f := s.make() // nobody writes: what comes in stays waiting
	tina := chat.Actor{User: s.people["tina"].ID, Role: courses.Teacher, Lesson: lessons.Lesson{ID: s.lesson, State: lessons.Live}}
	var g errgroup.Group
	for range chat.WriteQueue {
		g.Go(func() error { return f.Raise(tina, true) })
	}
	for f.Waiting() < chat.WriteQueue {
		runtime.Gosched()
	}
	if err := f.Raise(tina, true); !fault.Is(err, fault.KindBusy) {
		t.Errorf("a full room answers %v, want busy", err)
	}
	r := attendance.NewRecorder(attendance.RecorderConfig{DB: s.db})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }() // ends with cancel
	at := database.At(s.now())
	for n := range int64(20) {
		got, err := r.Record(t.Context(), attendance.Arrival{
			Lesson: s.lesson, User: s.people["sue"].ID, At: at.Add(time.Duration(n) * time.Second),
			Beat: attendance.Beat{View: "abcdefghijklmnop", N: n, State: attendance.Playing, Held: time.Second},
		})
		if err != nil || got.N != n {
			t.Fatalf("beat %d: %+v, %v", n, got, err)
		}
	}
	cancel()
	s.must(<-done)
	running, stop := context.WithCancel(t.Context())
	go func() { done <- f.Run(running) }() // ends with stop
	s.must(g.Wait())
	stop()
	s.must(<-done)
	if n, _ := s.read("tina", ""); len(n.Hands) != 1 {
		t.Errorf("%d hands up, want one", len(n.Hands))
	}
}
