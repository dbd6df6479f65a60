package courses

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// codeLetters are those of class codes: none looks like another on a board (0 O, 1 I L, 2 Z, 5 S, 8 B, U V), and
// without vowels they spell nothing.
const codeLetters = "346789CDFGHJKMNPQRTVWXY"

// codeLength makes 36 bits: with a hundred wrong tries in a quarter of an hour, one network looks for the open code of
// one course in a thousand for eleven years.
const codeLength = 8

// maxJoins is the highest limit of a code.
const maxJoins = 20_000

// JoinCode is how students come into a course by themselves.
type JoinCode struct {
	Code    string // empty: none was made yet
	Open    bool
	Approve bool // who comes waits until the staff lets them in
	Max     int  // 0: no limit
	Uses    int
	MadeAt  time.Time
}

// Grouped returns the code as people read it: two groups of four.
func (c JoinCode) Grouped() string {
	if len(c.Code) != codeLength {
		return c.Code
	}
	return c.Code[:4] + "-" + c.Code[4:]
}

// newCode returns a fresh code.
func newCode() string {
	var b strings.Builder
	var random [64]byte
	rand.Read(random[:])
	for i := 0; b.Len() < codeLength; i++ {
		if i == len(random) {
			rand.Read(random[:])
			i = 0
		}
		// The highest multiple of the alphabet that fits a byte: above it, some letters would come more often.
		if r := int(random[i]); r < 256/len(codeLetters)*len(codeLetters) {
			b.WriteByte(codeLetters[r%len(codeLetters)])
		}
	}
	return b.String()
}

// tidyCode returns a code as it is kept, however it was typed; "" for what is none.
func tidyCode(s string) string {
	if len(s) > 100 {
		return ""
	}
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, strings.ToUpper(norm.NFKC.String(s)))
	if len(s) != codeLength || strings.Trim(s, codeLetters) != "" {
		return ""
	}
	return s
}

// JoinCode returns the code of a course.
func (f *Courses) JoinCode(ctx context.Context, course media.ID) (JoinCode, error) {
	r, err := codeOf(ctx, f.db.Reader(), course)
	if errors.Is(err, database.ErrNotFound) {
		return JoinCode{Approve: true}, nil
	}
	if err != nil {
		return JoinCode{}, fmt.Errorf("read class code: %w", err)
	}
	return r.code(), nil
}

// OpenCode lets people come in with the code, the one there is or a first one.
func (f *Courses) OpenCode(ctx context.Context, actor, course media.ID) error {
	return f.changeCode(ctx, actor, course, "code.open", func(r *codeRow) { r.Open = true })
}

// CloseCode stops that. Who waits already goes on waiting.
func (f *Courses) CloseCode(ctx context.Context, actor, course media.ID) error {
	return f.changeCode(ctx, actor, course, "code.close", func(r *codeRow) { r.Open = false })
}

// RotateCode makes a new code; the one before stops working.
func (f *Courses) RotateCode(ctx context.Context, actor, course media.ID) error {
	return f.changeCode(ctx, actor, course, "code.rotate", func(r *codeRow) {
		r.Code, r.Uses, r.Open, r.MadeAt = newCode(), 0, true, database.At(f.now())
	})
}

// SetCode says whether who comes waits, and how many may come; 0 is no limit.
func (f *Courses) SetCode(ctx context.Context, actor, course media.ID, approve bool, limit int) error {
	if limit < 0 || limit > maxJoins {
		return fault.Invalid("join.limit_bad").At("limit").With("Max", maxJoins)
	}
	return f.changeCode(ctx, actor, course, "code.edit", func(r *codeRow) { r.Approve, r.MaxUses = approve, int64(limit) })
}

func (f *Courses) changeCode(ctx context.Context, actor, course media.ID, action string, do func(r *codeRow)) error {
	err := f.db.Tx(ctx, func(tx *gorm.DB) error {
		first := codeRow{CourseID: course, Code: newCode(), Approve: true, MadeAt: database.At(f.now())}
		if err := insertCode(ctx, tx, first); err != nil {
			return err
		}
		r, err := lockCode(ctx, tx, course)
		if err != nil {
			return err
		}
		do(&r)
		if err := updateCode(ctx, tx, r); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{
			At: f.now(), Actor: actor, Action: action, Object: audit.Object("course", course),
			Detail: map[string]any{"open": r.Open, "approve": r.Approve, "limit": r.MaxUses},
		})
	})
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return nil
}

// errNoCode is what a wrong, closed, replaced or archived code gets: who guesses learns nothing.
func errNoCode() error { return fault.NotFound("join.no_code") }

// Invited returns the course that a typed code lets people into. It is a NotFound fault for a code that does not,
// counted against the network of from, and TooMany when that has guessed too often.
func (f *Courses) Invited(ctx context.Context, typed string, from netip.Addr) (Course, JoinCode, error) {
	if f.cfg.Accounts == nil {
		return Course{}, JoinCode{}, errNoCode()
	}
	if err := f.cfg.Accounts.MayGuess(from); err != nil {
		return Course{}, JoinCode{}, err
	}
	course, code, err := f.openCode(ctx, tidyCode(typed))
	if fault.Is(err, fault.KindNotFound) {
		f.cfg.Accounts.GuessedWrong(from)
	}
	return course, code, err
}

func (f *Courses) openCode(ctx context.Context, code string) (Course, JoinCode, error) {
	if code == "" {
		return Course{}, JoinCode{}, errNoCode()
	}
	r, err := codeByText(ctx, f.db.Reader(), code)
	if errors.Is(err, database.ErrNotFound) || err == nil && !r.Open {
		return Course{}, JoinCode{}, errNoCode()
	}
	if err != nil {
		return Course{}, JoinCode{}, fmt.Errorf("read class code: %w", err)
	}
	course, err := f.Course(ctx, r.CourseID)
	if err == nil && !course.ArchivedAt.IsZero() {
		err = errNoCode()
	}
	return course, r.code(), err
}

// Standing is how somebody stands to a course that they want to join.
type Standing string

const (
	Outside Standing = "outside"
	Waiting Standing = "waiting"
	Inside  Standing = "inside"
)

// StandingIn returns how a person stands to a course now.
func (f *Courses) StandingIn(ctx context.Context, course, user media.ID) (Standing, error) {
	now := f.now()
	c, err := f.classes.get(ctx, course, now)
	if err != nil {
		return "", err
	}
	if _, in := c.at(user, now); in {
		return Inside, nil
	}
	n, err := countWaiting(ctx, f.db.Reader(), course, user)
	if err != nil {
		return "", fmt.Errorf("read waiting list: %w", err)
	}
	if n > 0 {
		return Waiting, nil
	}
	return Outside, nil
}

// Join brings somebody who is signed in into the course of a code, or onto its waiting list. Who is there already
// stays as they are.
func (f *Courses) Join(ctx context.Context, course Course, code JoinCode, user media.ID) (Standing, error) {
	now, err := f.StandingIn(ctx, course.ID, user)
	if err != nil || now != Outside {
		return now, err
	}
	err = f.db.Tx(ctx, func(tx *gorm.DB) error { return f.join(ctx, tx, course.ID, code.Code, user) })
	return f.joined(ctx, course.ID, user, err)
}

// SignUp makes an account for somebody who came with a code, and brings them in likewise.
func (f *Courses) SignUp(ctx context.Context, course Course, code JoinCode, n accounts.NewUser, from accounts.From) (accounts.Session, error) {
	var made media.ID
	s, err := f.cfg.Accounts.SignUp(ctx, n, from, func(tx *gorm.DB, user media.ID) error {
		made = user
		if err := insertSignUp(ctx, tx, signUpRow{UserID: user, CourseID: course.ID, At: database.At(f.now())}); err != nil {
			return err
		}
		return f.join(ctx, tx, course.ID, code.Code, user)
	})
	if _, err = f.joined(ctx, course.ID, made, err); err != nil {
		return accounts.Session{}, err
	}
	return s, nil
}

// join uses a code once. The code may have been closed, or used up, since it was looked at.
func (f *Courses) join(ctx context.Context, tx *gorm.DB, course media.ID, code string, user media.ID) error {
	n, err := useCode(ctx, tx, course, code)
	if err != nil {
		return err
	}
	r, err := codeOf(ctx, tx, course)
	if err != nil {
		return err
	}
	if n == 0 {
		if r.Open && r.Code == code {
			return fault.Conflict("join.full")
		}
		return errNoCode()
	}
	now := database.At(f.now())
	action := "join.ask"
	if r.Approve {
		err = insertWaiting(ctx, tx, waitingRow{CourseID: course, UserID: user, AskedAt: now})
	} else {
		action = "join.enter"
		err = insertEnrollments(ctx, tx, []enrollmentRow{{ID: media.NewID(), CourseID: course, UserID: user, Role: Student, FromAt: now}})
	}
	if err != nil {
		return err
	}
	return audit.Write(ctx, tx, audit.Line{
		At: f.now(), Actor: user, Action: action, Object: audit.Object("course", course), Detail: map[string]any{"user": user},
	})
}

func (f *Courses) joined(ctx context.Context, course, user media.ID, err error) (Standing, error) {
	if errors.Is(err, database.ErrDuplicate) && !fault.Is(err, fault.KindConflict) {
		err = nil // twice at the same moment
	}
	if err != nil {
		return "", fmt.Errorf("join: %w", err)
	}
	f.changed(course, nil)
	return f.StandingIn(ctx, course, user)
}

// Applicant is somebody on a waiting list.
type Applicant struct {
	User        media.ID
	DisplayName string
	Email       string
	AskedAt     time.Time
}

// WaitingList returns who wants to join a course, the first first.
func (f *Courses) WaitingList(ctx context.Context, course media.ID) ([]Applicant, error) {
	rows, err := waitingList(ctx, f.db.Reader(), course)
	if err != nil {
		return nil, fmt.Errorf("read waiting list: %w", err)
	}
	list := make([]Applicant, len(rows))
	for i, r := range rows {
		list[i] = Applicant{r.UserID, r.DisplayName, r.Email, r.AskedAt.Time()}
	}
	return list, nil
}

// Asked returns the courses that a person waits to be let into.
func (f *Courses) Asked(ctx context.Context, user media.ID) ([]Course, error) {
	rows, err := askedBy(ctx, f.db.Reader(), user)
	if err != nil {
		return nil, fmt.Errorf("read what somebody waits for: %w", err)
	}
	return toCourses(rows)
}

// Answer lets people in from the waiting list, or turns them away, and returns how many. Who is not on the list any
// more is left out.
func (f *Courses) Answer(ctx context.Context, actor, course media.ID, users []media.ID, letIn bool) (n int, err error) {
	action := "join.decline"
	if letIn {
		action = "join.approve"
	}
	err = f.db.Tx(ctx, func(tx *gorm.DB) error {
		waiting, err := takeWaiting(ctx, tx, course, users)
		if err != nil || len(waiting) == 0 {
			return err
		}
		n = len(waiting)
		if letIn {
			if err := f.letIn(ctx, tx, course, waiting); err != nil {
				return err
			}
		}
		return audit.Write(ctx, tx, audit.Line{
			At: f.now(), Actor: actor, Action: action, Object: audit.Object("course", course), Detail: map[string]any{"users": waiting},
		})
	})
	if errors.Is(err, database.ErrDuplicate) {
		return 0, fault.Conflict("").Because(err)
	}
	if err != nil {
		return 0, fmt.Errorf("answer waiting list: %w", err)
	}
	f.changed(course, nil)
	return n, nil
}

// letIn enrolls those who are not in the course already by another way.
func (f *Courses) letIn(ctx context.Context, tx *gorm.DB, course media.ID, users []media.ID) error {
	members, err := membersOf(ctx, tx, course)
	if err != nil {
		return err
	}
	in, now := map[media.ID]bool{}, database.At(f.now())
	for _, m := range members {
		if m.Enrollment.lasts(now) {
			in[m.Enrollment.UserID] = true
		}
	}
	var rows []enrollmentRow
	for _, u := range users {
		if !in[u] {
			rows = append(rows, enrollmentRow{ID: media.NewID(), CourseID: course, UserID: u, Role: Student, FromAt: now})
		}
	}
	return beginEnrollments(ctx, tx, rows, func(int) {})
}
