package accounts

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"chalkcast/classroom/fault"
)

// SetPolicy writes the school's attendance policy in a transaction, nil leaves it as it is, and returns the next
// version of the rules: one number counts the changes of the school's policy and of those of all courses. Somebody who
// saw another version than known has seen rules that do not hold any more: fault policy.changed. Reload makes this
// process see what was committed.
func SetPolicy(ctx context.Context, tx *gorm.DB, known int64, policy *string) (version int64, err error) {
	columns := map[string]any{"policy_version": known + 1}
	if policy != nil {
		columns["policy"] = *policy
	}
	res := tx.WithContext(ctx).Table("school").Where("id = 1 AND policy_version = ?", known).Updates(columns)
	if res.Error != nil {
		return 0, fmt.Errorf("write policy: %w", res.Error)
	}
	if res.RowsAffected == 0 {
		return 0, fault.Conflict("policy.changed")
	}
	return known + 1, nil
}

// Reload reads the school again at once.
func (a *Accounts) Reload(ctx context.Context) error { return a.loadSchool(ctx) }
