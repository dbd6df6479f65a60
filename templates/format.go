package templates

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

type duration = time.Duration

// format is how one language writes numbers, days and times. The standard library knows no month names but
// English ones, and these tables are shorter than a dependency. A number stays on the line of its month or unit.
type format struct {
	dir       string
	clockForm string // reference layout of a time of day
	dayForm   string // {W} weekday, {d} day, {m} month as a number, {M} month as a word
	dateForm  string // with {y}
	shortForm string // for tables
	space     string // between two sentences
	weekdays  [7]string
	months    [12]string
	printer   *message.Printer
}

var formats = map[string]*format{
	"en": {
		"ltr", "15:04", "{W} {d}\u00a0{M}", "{d}\u00a0{M} {y}", "{w} {d}\u00a0{N}", " ",
		[7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		[12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		message.NewPrinter(language.English),
	},
	"zh-Hans": {
		"ltr", "15:04", "{m}月{d}日 {W}", "{y}年{m}月{d}日", "{m}月{d}日", "",
		[7]string{"星期日", "星期一", "星期二", "星期三", "星期四", "星期五", "星期六"},
		[12]string{},
		message.NewPrinter(language.SimplifiedChinese),
	},
	"ja": {
		"ltr", "15:04", "{m}月{d}日（{W}）", "{y}年{m}月{d}日", "{m}月{d}日", "",
		[7]string{"日", "月", "火", "水", "木", "金", "土"},
		[12]string{},
		message.NewPrinter(language.Japanese),
	},
	"id": {
		"ltr", "15.04", "{W}, {d}\u00a0{M}", "{d}\u00a0{M} {y}", "{w}, {d}\u00a0{N}", " ",
		[7]string{"Minggu", "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu"},
		[12]string{"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"},
		message.NewPrinter(language.Indonesian),
	},
	"ms": {
		"ltr", "15:04", "{W}, {d}\u00a0{M}", "{d}\u00a0{M} {y}", "{w}, {d}\u00a0{N}", " ",
		[7]string{"Ahad", "Isnin", "Selasa", "Rabu", "Khamis", "Jumaat", "Sabtu"},
		[12]string{"Januari", "Februari", "Mac", "April", "Mei", "Jun", "Julai", "Ogos", "September", "Oktober", "November", "Disember"},
		message.NewPrinter(language.Malay),
	},
}

func (f *format) write(form string, t time.Time) string {
	weekday, month := f.weekdays[t.Weekday()], f.months[t.Month()-1]
	return strings.NewReplacer(
		"{W}", weekday, "{w}", firstRunes(weekday, 3),
		"{M}", month, "{N}", firstRunes(month, 3),
		"{d}", fmt.Sprint(t.Day()), "{m}", fmt.Sprint(int(t.Month())), "{y}", fmt.Sprint(t.Year()),
	).Replace(form)
}

// clock is a time of day, day a date of this term, date one with its year, shortDate one for a table.
func (f *format) clock(t time.Time) string     { return t.Format(f.clockForm) }
func (f *format) day(t time.Time) string       { return f.write(f.dayForm, t) }
func (f *format) date(t time.Time) string      { return f.write(f.dateForm, t) }
func (f *format) shortDate(t time.Time) string { return f.write(f.shortForm, t) }

func (f *format) number(n int) string { return f.printer.Sprintf("%d", n) }

// percent writes tenths of a percent, without the decimal that is 0.
func (f *format) percent(tenths int) string {
	if tenths%10 == 0 {
		return f.printer.Sprintf("%d", tenths/10) + "%"
	}
	return f.printer.Sprintf("%.1f", float64(tenths)/10) + "%"
}

func (f *format) bytes(n int64) string {
	if n < 0 {
		return "–" // nobody knows
	}
	unit, size := "B", float64(n)
	for _, u := range []string{"kB", "MB", "GB", "TB"} {
		if size < 1000 {
			break
		}
		unit, size = u, size/1000
	}
	if size >= 100 || size == math.Trunc(size) {
		return f.printer.Sprintf("%.0f", size) + "\u00a0" + unit
	}
	return f.printer.Sprintf("%.1f", size) + "\u00a0" + unit
}

func iso(t time.Time) string { return t.Format(time.RFC3339) }

// JoinSentences puts sentences one after the other: Chinese and Japanese have no space between them. A language that we do not
// speak is English, as for Set.T.
func JoinSentences(lang string, sentences ...string) string {
	f, ok := formats[lang]
	if !ok {
		f = formats["en"]
	}
	return strings.Join(sentences, f.space)
}

// hms writes a length for a column of figures: 0:45:10.
func hms(d time.Duration) string {
	s := int64(d / time.Second)
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// sameClock returns whether two spellings of one instant read the same on the wall.
func sameClock(a, b time.Time) bool {
	return b.IsZero() || a.Format("2 15:04") == b.Format("2 15:04")
}

// untilMin returns the minutes from now until then, rounded up, and 0 for the past.
func untilMin(now, then time.Time) int {
	if !then.After(now) {
		return 0
	}
	return int((then.Sub(now) + time.Minute - 1) / time.Minute)
}

// initials returns what stands in the circle before a name: the first letters of its first and last word, or
// its first character in scripts that do not abbreviate so.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r == '-' || r == '·' })
	if len(words) == 0 {
		return "?"
	}
	first := []rune(words[0])[0]
	if len(words) == 1 || !unicode.In(first, unicode.Latin, unicode.Greek, unicode.Cyrillic) {
		return strings.ToUpper(string(first))
	}
	return strings.ToUpper(firstRunes(words[0], 1) + firstRunes(words[len(words)-1], 1))
}

func firstRunes(s string, n int) string {
	r := []rune(s)
	if len(r) > n {
		r = r[:n]
	}
	return string(r)
}
