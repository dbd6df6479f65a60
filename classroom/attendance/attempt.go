package attendance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// AttemptReasons are the codes of attempts to join that are kept.
var AttemptReasons = []string{"server_busy", "not_enrolled", "too_early", "expired", "player_unsupported"}

const (
	attemptEvery = time.Minute // the same reason again is the same attempt
	maxAttempts  = 20          // kept of one student in one lesson
)

// NoteAttempt keeps that somebody tried to join a lesson and could not.
func (a *Attendance) NoteAttempt(ctx context.Context, lesson, user media.ID, reason string) error {
	if !slices.Contains(AttemptReasons, reason) {
		return fault.Invalid("attempt.reason").At("reason")
	}
	now := a.now()
	row := joinFailureRow{ID: media.NewID(), LessonID: lesson, UserID: user, At: database.At(now), Reason: reason}
	err := a.db.Tx(ctx, func(tx *gorm.DB) error {
		return insertJoinFailure(ctx, tx, row, database.At(now.Add(-attemptEvery)), maxAttempts)
	})
	if err != nil {
		return fmt.Errorf("note an attempt to join %s: %w", lesson, err)
	}
	return nil
}

// NoteRefusal keeps that the viewer of a request was turned away from the lesson of its path: who is enrolled later, or
// was enrolled before, has tried. It returns err, why they were, and never fails in its place.
func (a *Attendance) NoteRefusal(c *gin.Context, err error) error {
	id, bad := web.ID(c, "id")
	if bad != nil || !fault.Is(err, fault.KindNotFound) {
		return err
	}
	ctx, v := c.Request.Context(), web.MustViewer(c)
	l, bad := a.lessons.Find(ctx, id)
	if bad != nil || v.Admin {
		return err
	}
	members, bad := a.courses.MembersDuring(ctx, l.CourseID, time.Time{}, a.now())
	if bad != nil {
		return err
	}
	reason := "not_enrolled"
	for _, m := range members {
		if m.User == v.ID {
			reason = "expired"
		}
	}
	if bad := a.NoteAttempt(ctx, l.ID, v.ID, reason); bad != nil {
		a.log.WarnContext(ctx, "attempt to join not noted", "lesson", l.ID, "err", bad)
	}
	return err
}
