package reports

import (
	"strconv"
	"time"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
)

// value is one cell before it is known what kind of file it goes into: a CSV writes everything as text in one
// agreed form, a workbook keeps numbers, dates and lengths as what they are.
type value struct {
	kind kind
	text string
	n    int64
	at   time.Time // in the zone it is shown in
}

type kind int

const (
	blank  kind = iota
	words       // written by people: harmless only after Escape
	code        // written by us
	count       // n
	tenths      // n tenths of a percent
	length      // n seconds
	moment      // at, to the second
	day         // at, its date
)

func person(text string) value { return value{kind: words, text: text} }
func name(text string) value   { return value{kind: code, text: text} }
func number(n int64) value     { return value{kind: count, n: n} }

func lasting(d time.Duration) value { return value{kind: length, n: int64(d / time.Second)} }

// minutes are those of somebody who was there; of others they mean nothing.
func minutes(r *attendance.Row, d time.Duration) value {
	if !r.Here {
		return value{}
	}
	return number(int64(d / time.Minute))
}

// percent is blank where there is nothing to be part of.
func percent(part, all time.Duration) value {
	if all == 0 {
		return value{}
	}
	return value{kind: tenths, n: int64(attendance.Tenths(part, all))}
}

// clock is an instant in a zone; blank for one that never was.
func clock(i database.Instant, zone *time.Location) value {
	if i == 0 {
		return value{}
	}
	return value{kind: moment, at: i.Time().In(zone)}
}

// date reads 2026-10-26, as lessons keep it.
func date(text string) value {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return name(text)
	}
	return value{kind: day, at: t}
}

func yes(b bool) value {
	if b {
		return name("yes")
	}
	return name("no")
}

// csv is the form of a CSV: whole seconds, a point before the decimal, ISO 8601 with the offset.
func (v value) csv() string {
	switch v.kind {
	case words:
		return Escape(v.text)
	case code:
		return v.text
	case count, length:
		return strconv.FormatInt(v.n, 10)
	case tenths:
		return strconv.FormatInt(v.n/10, 10) + "." + strconv.FormatInt(v.n%10, 10)
	case moment:
		return v.at.Format("2006-01-02T15:04:05-07:00")
	case day:
		return v.at.Format(time.DateOnly)
	}
	return ""
}
