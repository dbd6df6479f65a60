package classroom

import (
	"context"
	"encoding/json"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/chat"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/push"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// events is what an open page is told: the present state at once, then every change; and what happens in the
// lesson's room, from the number on that the page saw last (Last-Event-ID, or ?after= of a page that opens a new
// stream), or all of it. Staff also hear how the stream arrives, their own before anybody else's, and who is here.
func (k *Classroom) events(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.Watch)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	staff := access.May(courses.SeeStudio)
	lesson := k.bus.Subscribe(ctx, row.ID) // before the state is read, so that nothing falls between
	var own <-chan push.Event
	if staff {
		own = k.bus.Subscribe(ctx, access.Viewer.ID)
	}
	room, err := k.listen(c, row.ID, access)
	if err != nil {
		return fault.Busy("", 5*time.Second).Because(err)
	}
	defer room.Close()
	stream, err := web.OpenStream(c)
	if err != nil {
		return nil // from here on an error is a page that went away
	}
	defer stream.Close()
	if err := k.sendState(ctx, stream, row.ID); err != nil {
		return nil
	}
	beat := time.NewTicker(web.Heartbeat)
	defer beat.Stop()
	for {
		var e push.Event
		var open bool
		select {
		case <-stream.Context().Done():
			return nil
		case <-beat.C:
			if !k.stillMay(c, access) || stream.Ping() != nil {
				return nil
			}
			continue
		case e, open = <-lesson:
			if open && (e.Staff && !staff || e.Name == lessons.EventHealth && k.streams(access.Viewer.ID)) {
				continue
			}
		case e, open = <-own:
		case <-room.Ready():
			if !sendNews(stream, room) {
				return nil
			}
			continue
		}
		// A closed channel is a page that was too slow: it comes back and reads the present state.
		if !open || stream.Send("", e.Name, e.Data) != nil {
			return nil
		}
	}
}

// listen follows the room of a lesson from where the page left off.
func (k *Classroom) listen(c *gin.Context, lesson media.ID, a courses.Access) (*chat.Listener, error) {
	after, err := chat.After(c.GetHeader("Last-Event-ID"))
	if err != nil || after == chat.Unseen {
		if after, err = chat.After(c.Query("after")); err != nil {
			after = chat.Unseen // no number of ours
		}
	}
	return k.Chat.Listen(c.Request.Context(), lesson, chat.ReaderOf(a), after)
}

// sendNews sends the next news of a room. False: the page is gone or too slow, and comes back.
func sendNews(stream *web.EventStream, room *chat.Listener) bool {
	events, ok := room.Next()
	for _, e := range events {
		ok = ok && stream.SendEvent(e) == nil
	}
	return ok
}

func (k *Classroom) sendState(ctx context.Context, stream *web.EventStream, lesson media.ID) error {
	row, err := k.Lessons.Find(ctx, lesson)
	if err != nil {
		return err
	}
	news, err := k.Lessons.News(ctx, row)
	if err != nil {
		return err
	}
	b, err := json.Marshal(news)
	if err != nil {
		return err
	}
	return stream.Send("", lessons.EventState, b)
}

// streams reports whether a viewer hears of their own broadcast, and so need not hear of another's.
func (k *Classroom) streams(viewer media.ID) bool {
	_, ok := k.Lessons.BroadcastFor(0, viewer)
	return ok
}

// stillMay asks again, while a stream is open, whether its reader is signed in and in the course. When nobody can
// tell just now the stream goes on.
func (k *Classroom) stillMay(c *gin.Context, a courses.Access) bool {
	ctx := c.Request.Context()
	v, err := k.Accounts.Identify(ctx, web.SessionToken(c))
	if err != nil {
		return true
	}
	if v == nil {
		return false
	}
	now, err := k.Courses.Access(ctx, v, a.Course.ID)
	return err == nil && now.Role == a.Role
}
