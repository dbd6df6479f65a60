package attendance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// PolicyChange is a policy to be put in the place of another.
type PolicyChange struct {
	Course media.ID // 0: the school's
	Layer  string   // JSON: what differs from the school's, or from the defaults
	Known  int64    // the version of the rules that whoever changes them has seen
}

// SetPolicy changes the policy of the school or of one course, for registers that are not closed yet: a closed one
// keeps the policy it was decided by. The change stands in the history and in the audit log, and can be taken back by
// another. Whoever calls it has asked for the right to.
func (a *Attendance) SetPolicy(ctx context.Context, actor media.ID, ch PolicyChange) error {
	before, err := a.layerOf(ctx, ch.Course)
	if err != nil {
		return err
	}
	if err := a.checkLayer(ctx, ch); err != nil {
		return err
	}
	err = a.db.Tx(ctx, func(tx *gorm.DB) error { return writePolicy(ctx, tx, actor, ch, before, a.now()) })
	if errors.Is(err, database.ErrDuplicate) {
		return fault.Conflict("policy.changed").Because(err)
	}
	if err != nil {
		return fmt.Errorf("change policy: %w", err)
	}
	if ch.Course != 0 {
		a.courses.Reread(ch.Course)
	}
	return a.accounts.Reload(ctx)
}

// layerOf is what the school, or a course, has of its own today.
func (a *Attendance) layerOf(ctx context.Context, course media.ID) (string, error) {
	if course == 0 {
		return a.accounts.School().Policy, nil
	}
	co, err := a.courses.Course(ctx, course)
	return co.Policy, err
}

// checkLayer refuses a policy that does not hold: as it stands, and that of the school with every course's on top.
func (a *Attendance) checkLayer(ctx context.Context, ch PolicyChange) error {
	if ch.Course != 0 {
		_, err := ParsePolicy(a.accounts.School().Policy, ch.Layer)
		return badPolicy(err)
	}
	if _, err := ParsePolicy(ch.Layer); err != nil {
		return badPolicy(err)
	}
	all, err := a.courses.All(ctx)
	if err != nil {
		return err
	}
	for _, co := range all {
		if _, err := ParsePolicy(ch.Layer, co.Policy); err != nil {
			return fault.Invalid("policy.course").With("Course", co.Code).Because(err)
		}
	}
	return nil
}

func badPolicy(err error) error {
	if err == nil {
		return nil
	}
	return fault.Invalid("policy.number").Because(err)
}

func writePolicy(ctx context.Context, tx *gorm.DB, actor media.ID, ch PolicyChange, before string, now time.Time) error {
	var school *string
	if ch.Course == 0 {
		school = &ch.Layer
	}
	version, err := accounts.SetPolicy(ctx, tx, ch.Known, school)
	if err != nil {
		return err
	}
	object := "school"
	if ch.Course != 0 {
		object = audit.Object("course", ch.Course)
		if err := courses.SetPolicy(ctx, tx, ch.Course, ch.Layer); err != nil {
			return err
		}
	}
	rows := []policyRow{{CourseID: ch.Course, Version: version, Policy: ch.Layer, At: database.At(now), ByID: actor}}
	old, err := policiesOf(ctx, tx, ch.Course, 1)
	if err != nil {
		return err
	}
	if len(old) == 0 { // the first change: what held before it stays readable too
		rows = append(rows, policyRow{CourseID: ch.Course, Version: 1, Policy: before})
	}
	if err := insertPolicies(ctx, tx, rows); err != nil {
		return err
	}
	return audit.Write(ctx, tx, audit.Line{
		At: now, Actor: actor, Action: "policy.change", Object: object,
		Detail: map[string]any{"version": version, "policy": json.RawMessage(ch.Layer), "before": json.RawMessage(or(before, "{}"))},
	})
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// layer writes the numbers that were given, by their names, as JSON.
func layer(values map[string]int) string {
	flat, weights := map[string]any{}, map[string]int{}
	for name, v := range values {
		if w, ok := strings.CutPrefix(name, "weights."); ok {
			weights[w] = v
		} else {
			flat[name] = v
		}
	}
	if len(weights) > 0 {
		flat["weights"] = weights
	}
	b, _ := json.Marshal(flat) // integers only: it cannot fail
	return string(b)
}

// own returns which numbers a layer has of its own.
func own(layer string) (map[string]bool, error) {
	var parts map[string]json.RawMessage
	if err := json.Unmarshal([]byte(or(layer, "{}")), &parts); err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	names := map[string]bool{}
	for name, value := range parts {
		if name != "weights" {
			names[name] = true
			continue
		}
		var weights map[string]int
		if err := json.Unmarshal(value, &weights); err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		for w := range weights {
			names["weights."+w] = true
		}
	}
	return names, nil
}

// write writes a number as its field shows it.
func (n number) write(p *Policy) string {
	v := *n.of(p)
	if n.unit == length {
		return fmt.Sprintf("%d:%02d", v/60, v%60)
	}
	return strconv.Itoa(v)
}

// parse reads what somebody wrote into a field: 75, 5:00, or 5 for five minutes.
func (n number) parse(text string) (int, error) {
	bad := fault.Invalid("policy."+string(n.unit)).At(n.name).With("Max", n.most)
	if n.unit == length {
		bad = bad.With("Max", fmt.Sprintf("%d:00", n.most/60))
	}
	minutes, rest, split := strings.Cut(text, ":")
	v, err := strconv.Atoi(minutes)
	if err != nil || v < 0 || v > n.most || split && n.unit != length {
		return 0, bad
	}
	if n.unit == length {
		v *= 60
	}
	if split {
		s, err := strconv.Atoi(rest)
		if err != nil || s < 0 || s > 59 || len(rest) != 2 {
			return 0, bad
		}
		v += s
	}
	if v > n.most {
		return 0, bad
	}
	return v, nil
}
