// Package audit keeps what was done, by whom and to what, in lines that are only ever added.
//
//	db.Tx(ctx, func(tx *gorm.DB) error {
//		… the change itself …
//		return audit.Write(ctx, tx, audit.Line{At: now, Actor: v.ID, Action: "course.create", Object: audit.Object("course", id)})
//	})
//
// A line is written in the transaction of what it tells about: both happen or neither. Write it last, because
// writers of lines queue behind each other until they commit.
//
// Each line holds the SHA-256 of the line before it together with its own content, so that one changed, removed
// or slipped in later shows in Verify. The newest hash stands in the table audit_head as well, which shows lines
// cut off at the end. Sweep removes the oldest lines for retention and leaves the hash of the last of them in the table
// audit_anchor, from where Verify goes on.
//
// What people were refused is written too, by Refusals: outside any transaction, and one line a minute for the same
// person and thing, so that a flood of requests is no flood of lines.
//
// A detail is small JSON for people who ask later: old and new values, counts, a reason. Never a secret, never a
// mail address. No goroutines.
package audit
