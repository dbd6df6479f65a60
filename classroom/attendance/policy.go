package attendance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Policy is the numbers by which a register is decided: the school's, or what a course puts in their place. Its
// JSON form is what the database holds and what a closed register keeps.
type Policy struct {
	PresentAtPct   int     `json:"present_at_pct"`   // from here on present
	AbsentBelowPct int     `json:"absent_below_pct"` // below it absent
	LateAfterS     int     `json:"late_after_s"`     // more than this is late
	EarlyBeforeS   int     `json:"early_before_s"`   // gone more than this before the end left early
	BridgeS        int     `json:"bridge_s"`         // gaps up to this belong to a visit
	OutageMergeS   int     `json:"outage_merge_s"`   // outages up to this belong to the class
	MakeupPct      int     `json:"makeup_pct"`       // coverage that makes a missed lesson up
	MakeupDays     int     `json:"makeup_days"`      // how long that is possible; 0 is never
	Weights        Weights `json:"weights"`
}

// Weights is what one lesson of each status adds to the course rate, in percent of a lesson.
type Weights struct {
	Present   int `json:"present"`
	Late      int `json:"late"`
	LeftEarly int `json:"left_early"`
	Partial   int `json:"partial"`
	MadeUp    int `json:"made_up"`
	Absent    int `json:"absent"`
}

// of returns the weight of a status and whether lessons of that status count at all.
func (w Weights) of(s Status) (weight int, counts bool) {
	switch s {
	case Present:
		return w.Present, true
	case Late:
		return w.Late, true
	case LeftEarly:
		return w.LeftEarly, true
	case Partial:
		return w.Partial, true
	case MadeUp:
		return w.MadeUp, true
	case Absent:
		return w.Absent, true
	}
	return 0, false // excused, not held, or not decided yet
}

// Rate is a student's course rate in tenths of a percent, rounded down, over the lessons that were held and
// decided: held counts those too that were excused, which the rate leaves out. Without any other there is no rate.
func Rate(counts map[Status]int, w Weights) (held, tenths int, rated bool) {
	sum, of := w.sum(counts)
	held = of + counts[Excused]
	if of == 0 {
		return held, 0, false
	}
	return held, sum * 10 / of, true
}

// sum adds up the weights of statuses, and says of how many.
func (w Weights) sum(counts map[Status]int) (sum, of int) {
	for status, n := range counts {
		if weight, ok := w.of(status); ok {
			sum, of = sum+weight*n, of+n
		}
	}
	return sum, of
}

// DefaultPolicy returns what holds where a school has said nothing.
func DefaultPolicy() Policy {
	return Policy{
		PresentAtPct:   75,
		AbsentBelowPct: 25,
		LateAfterS:     300,
		EarlyBeforeS:   300,
		BridgeS:        60,  // a hand-over from the phone to the laptop
		OutageMergeS:   120, // OBS retries after 2 s, then ×1.5 each time: eight tries fit
		MakeupPct:      80,
		MakeupDays:     7,
		Weights:        Weights{Present: 100, Late: 100, LeftEarly: 100, Partial: 50, MadeUp: 100},
	}
}

// ParsePolicy lays the JSON objects over the defaults, one after the other: the school's, then the course's.
// Each holds only what differs; "" counts as {}. A number out of its range, a name that is no number of ours and
// malformed JSON are errors.
func ParsePolicy(layers ...string) (Policy, error) {
	p := DefaultPolicy()
	for _, text := range layers {
		if text == "" {
			continue
		}
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		d.DisallowUnknownFields()
		if err := d.Decode(&p); err != nil {
			return Policy{}, fmt.Errorf("read policy: %w", err)
		}
	}
	return p, p.check()
}

// number is one number of a policy: its name in JSON and in forms, what it counts, and how large it may be.
type number struct {
	name string
	unit unit
	most int
	of   func(*Policy) *int
}

type unit string

const (
	percent unit = "percent"
	length  unit = "length" // in seconds; written 5:00
	days    unit = "days"
)

// numbers are those of a policy, in the order of its page.
var numbers = []number{
	{"present_at_pct", percent, 100, func(p *Policy) *int { return &p.PresentAtPct }},
	{"absent_below_pct", percent, 100, func(p *Policy) *int { return &p.AbsentBelowPct }},
	{"late_after_s", length, 86400, func(p *Policy) *int { return &p.LateAfterS }},
	{"early_before_s", length, 86400, func(p *Policy) *int { return &p.EarlyBeforeS }},
	{"bridge_s", length, 3600, func(p *Policy) *int { return &p.BridgeS }},
	{"outage_merge_s", length, 3600, func(p *Policy) *int { return &p.OutageMergeS }},
	{"makeup_pct", percent, 100, func(p *Policy) *int { return &p.MakeupPct }},
	{"makeup_days", days, 366, func(p *Policy) *int { return &p.MakeupDays }},
	{"weights.present", percent, 100, func(p *Policy) *int { return &p.Weights.Present }},
	{"weights.late", percent, 100, func(p *Policy) *int { return &p.Weights.Late }},
	{"weights.left_early", percent, 100, func(p *Policy) *int { return &p.Weights.LeftEarly }},
	{"weights.partial", percent, 100, func(p *Policy) *int { return &p.Weights.Partial }},
	{"weights.made_up", percent, 100, func(p *Policy) *int { return &p.Weights.MadeUp }},
	{"weights.absent", percent, 100, func(p *Policy) *int { return &p.Weights.Absent }},
}

func (p Policy) check() error {
	for _, n := range numbers {
		if v := *n.of(&p); v < 0 || v > n.most {
			return fmt.Errorf("policy: %s is %d, not between 0 and %d", n.name, v, n.most)
		}
	}
	if p.AbsentBelowPct > p.PresentAtPct {
		return fmt.Errorf("policy: absent_below_pct is %d, above present_at_pct", p.AbsentBelowPct)
	}
	return nil
}

// JSON returns all numbers, as a closed register keeps them.
func (p Policy) JSON() string {
	b, _ := json.Marshal(p) // integers only: it cannot fail
	return string(b)
}

func (p Policy) bridge() time.Duration      { return seconds(p.BridgeS) }
func (p Policy) outageMerge() time.Duration { return seconds(p.OutageMergeS) }

// MakeupTime is how long after its end a lesson can be made up; 0 is never.
func (p Policy) MakeupTime() time.Duration { return time.Duration(p.MakeupDays) * 24 * time.Hour }

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
