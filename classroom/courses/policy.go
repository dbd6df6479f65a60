package courses

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// SetPolicy writes what a course puts in the place of the school's attendance policy, in a transaction. Reread makes
// this process see what was committed.
func SetPolicy(ctx context.Context, tx *gorm.DB, course media.ID, policy string) error {
	n, err := gorm.G[courseRow](tx).Where("id = ?", course).Update(ctx, "policy", policy)
	if err == nil && n == 0 {
		err = database.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("write policy of course %s: %w", course, err)
	}
	return nil
}

// Reread forgets what is known of a course, so that the next who asks reads it.
func (f *Courses) Reread(course media.ID) { f.classes.drop(course) }
