package attendance

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"chalkcast/media"
)

// Import writes down what students watched of a lesson whose register has not closed: taken over from elsewhere, or made
// up for a school to look around in. Each Watched becomes a view of its own.
func (a *Attendance) Import(ctx context.Context, lesson media.ID, watched map[media.ID][]Watched) error {
	var views []viewRow
	var intervals []intervalRow
	for user, all := range watched {
		for _, w := range all {
			id := media.NewID()
			view := viewRow{
				ID: id, LessonID: lesson, UserID: user, Token: "import-" + id.String(), Device: w.Device, OpenedAt: w.OpenedAt, LastAt: w.OpenedAt,
			}
			for _, s := range w.Stretches {
				intervals = append(intervals, rowOf(id, s))
				view.N, view.LastAt, view.PosMS = max(view.N, s.N), max(view.LastAt, s.Time.To), int64(s.Seen.To)
			}
			views = append(views, view)
		}
	}
	if err := a.db.Tx(ctx, func(tx *gorm.DB) error { return upsertWatched(ctx, tx, views, intervals) }); err != nil {
		return fmt.Errorf("import %d views of lesson %s: %w", len(views), lesson, err)
	}
	return nil
}
