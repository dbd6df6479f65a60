package accounts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
	"chalkcast/templates"
)

// Eraser deletes, inside the transaction, what a feature keeps about a person and is not a figure of the school's.
// after, which may be nil, is called once the transaction has been committed.
type Eraser func(ctx context.Context, tx *gorm.DB, user media.ID) (after func(), err error)

// OnErase registers what a feature deletes when a person is erased. Call before serving.
func (a *Accounts) OnErase(e Eraser) { a.onErase = append(a.onErase, e) }

// Erase makes a closed account one of nobody: "Removed student 7F3A". What the school has to keep, the figures of
// registers and the audit log, stays under that name; all else that features keep about the person goes, for good.
// It is a Conflict fault while the account is open, so that nobody is erased by a slip of the mouse.
func (a *Accounts) Erase(ctx context.Context, actor, id media.ID) error {
	taught := false
	if a.cfg.Taught != nil {
		var err error
		if taught, err = a.cfg.Taught(ctx, id); err != nil {
			return err
		}
	}
	keys, err := keysOf(ctx, a.db.Reader(), id)
	if err != nil {
		return fmt.Errorf("read stream keys: %w", err)
	}
	var done []func()
	err = a.db.Shred(ctx, func(tx *gorm.DB) error {
		done = nil
		u, err := userByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if u.DisabledAt == 0 || u.ErasedAt != 0 {
			return fault.Conflict("accounts.erase_open")
		}
		for _, erase := range a.onErase {
			after, err := erase(ctx, tx, id)
			if err != nil {
				return err
			}
			if after != nil {
				done = append(done, after)
			}
		}
		return a.erasePerson(ctx, tx, actor, u, taught)
	})
	if err != nil {
		return fmt.Errorf("erase user: %w", err)
	}
	a.sessions.dropUser(id)
	for _, after := range done {
		after()
	}
	for _, k := range keys {
		a.keyRevoked(k.ID)
	}
	return nil
}

// erasePerson deletes what this feature keeps.
func (a *Accounts) erasePerson(ctx context.Context, tx *gorm.DB, actor media.ID, u userRow, taught bool) error {
	_, err := a.endAll(ctx, tx, actor, u.ID, "user.erase") // closed accounts have no sessions; this is to be sure
	err = errors.Join(err, deleteFactor(ctx, tx, u.ID), deleteKeysOf(ctx, tx, u.ID), a.cfg.Outbox.Drop(ctx, tx, u.ID))
	if err != nil {
		return err
	}
	name, err := a.removedName(ctx, tx, taught)
	if err != nil {
		return err
	}
	return eraseUser(ctx, tx, u.ID, name, database.At(a.now()))
}

// removedName is a name that nobody has: registers tell people apart by it.
func (a *Accounts) removedName(ctx context.Context, tx *gorm.DB, taught bool) (string, error) {
	key := "accounts.removed_student"
	if taught {
		key = "accounts.removed_staff"
	}
	for digits := 2; ; digits++ {
		random := make([]byte, min(digits, 8))
		rand.Read(random)
		name := a.text(key, map[string]any{"Code": fmt.Sprintf("%X", random)})
		n, err := countNamed(ctx, tx, name)
		if err != nil || n == 0 {
			return name, err
		}
	}
}

// text is a sentence in the language of the school.
func (a *Accounts) text(key string, data map[string]any) string {
	if a.cfg.Pages == nil { // a program without pages, from the command line
		set, err := templates.New()
		if err != nil {
			return key
		}
		return set.T("en", key, data)
	}
	return a.cfg.Pages.T(a.School().Lang, key, data)
}

// Table is a part of what is kept about a person, for them to read and to take with them.
type Table struct {
	Name    string // registers
	Columns []string
	Rows    [][]any // strings, integers, booleans, times in UTC; nil for nothing
}

// Exporter returns what a feature keeps about a person.
type Exporter func(ctx context.Context, q *gorm.DB, user media.ID) ([]Table, error)

// OnExport registers what a feature hands out when a person's data is exported. Call before serving.
func (a *Accounts) OnExport(e Exporter) { a.onExport = append(a.onExport, e) }

// Export returns everything that is kept about a person, as of one instant, and notes that it was handed out.
func (a *Accounts) Export(ctx context.Context, actor, id media.ID) ([]Table, error) {
	err := a.db.Tx(ctx, func(tx *gorm.DB) error {
		if _, err := userByID(ctx, tx, id); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{At: a.now(), Actor: actor, Action: "user.export", Object: audit.Object("user", id)})
	})
	if isNotFound(err) {
		return nil, fault.NotFound("").Because(err)
	}
	if err != nil {
		return nil, fmt.Errorf("note export: %w", err)
	}
	var all []Table
	err = a.db.Snapshot(ctx, func(tx *gorm.DB) error {
		all = nil
		for _, export := range a.onExport {
			tables, err := export(ctx, tx, id)
			if err != nil {
				return err
			}
			all = append(all, tables...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("export user: %w", err)
	}
	return all, nil
}

// maxLines bounds the audit lines of an export.
const maxLines = 10_000

// exportPerson is what this feature keeps.
func (a *Accounts) exportPerson(ctx context.Context, q *gorm.DB, id media.ID) ([]Table, error) {
	u, err := userByID(ctx, q, id)
	if err != nil {
		return nil, err
	}
	f, err := factorOf(ctx, q, id)
	if err != nil {
		return nil, err
	}
	person := Table{Name: "person", Columns: []string{
		"id", "display_name", "given_name", "family_name", "email", "student_id", "admin", "language", "created_at", "invited_at", "disabled_at", "second_factor_since",
	}, Rows: [][]any{{
		u.ID.String(), u.DisplayName, u.GivenName, u.FamilyName, u.Email, u.StudentID, u.Admin, u.Lang,
		moment(u.CreatedAt), moment(u.InvitedAt), moment(u.DisabledAt), moment(f.ConfirmedAt),
	}}}
	sessions := Table{Name: "sessions", Columns: []string{"device", "since", "last_used_at", "ends_at"}}
	rows, err := sessionsOf(ctx, q, id, maxListed)
	if err != nil {
		return nil, err
	}
	for _, s := range rows {
		sessions.Rows = append(sessions.Rows, []any{s.Device, moment(s.CreatedAt), moment(s.SeenAt), moment(s.ExpiresAt)})
	}
	keys := Table{Name: "stream_keys", Columns: []string{"id", "name", "created_at", "used_at", "revoked_at"}}
	list, err := keysOf(ctx, q, id)
	if err != nil {
		return nil, err
	}
	for _, k := range list {
		keys.Rows = append(keys.Rows, []any{k.ID, k.Name, moment(k.CreatedAt), moment(k.UsedAt), moment(k.RevokedAt)})
	}
	log := Table{Name: "audit", Columns: []string{"at", "action", "by_id"}}
	lines, err := audit.Of(ctx, q, audit.Object("user", id), maxLines)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		log.Rows = append(log.Rows, []any{l.At, l.Action, l.Actor.String()})
	}
	return []Table{person, sessions, keys, log}, nil
}

// moment is an instant as a cell of an export.
func moment(at database.Instant) any {
	if at == 0 {
		return nil
	}
	return at.Time()
}
