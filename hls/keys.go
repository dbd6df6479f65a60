package hls

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"chalkcast/media"
)

// Object names hold ids and numbers of ours only; nothing a stranger writes gets into one.
//
//	lessons/<lesson>/<epoch>-<random>/<rendition>/<msn>.m4s
//	lessons/<lesson>/<epoch>-<random>/<rendition>/init-<generation>.mp4
//	lessons/<lesson>/samples.bin
//	lessons/<lesson>/journal.jsonl
//
// The random letters make sure that no name is used twice, whatever a crash made us forget. The same parts in
// another order name files in the spool and URIs in playlists:
//
//	seg-<epoch>-<random>-<msn>.m4s   part-<epoch>-<random>-<msn>-<part>.m4s   init-<epoch>-<random>-<generation>.mp4

func lessonPrefix(lesson media.ID) string { return "lessons/" + lesson.String() + "/" }

const indexFile = "journal.jsonl"

func indexKey(lesson media.ID) string { return lessonPrefix(lesson) + indexFile }

func segmentKey(lesson media.ID, rendition string, s *segment) string {
	return fmt.Sprintf("%s%s/%s/%d.m4s", lessonPrefix(lesson), s.tag, rendition, s.msn)
}

func initKey(lesson media.ID, rendition string, n initName) string {
	return fmt.Sprintf("%s%s/%s/init-%d.mp4", lessonPrefix(lesson), n.tag, rendition, n.generation)
}

// spoolFile is the segment's file in the lesson's folder of the spool.
func spoolFile(rendition string, h *heading) string {
	return fmt.Sprintf("%s.%s.%d.m4s", h.tag, rendition, h.msn)
}

const tagLetters = "0123456789abcdefghjkmnpqrstvwxyz"

const tagRandom = 6

// newTag names an epoch. The letters need not be secret: a ticket guards the door.
func newTag(epoch int) string {
	b := append(strconv.AppendInt(nil, int64(epoch), 10), '-')
	for range tagRandom {
		b = append(b, tagLetters[rand.IntN(len(tagLetters))])
	}
	return string(b)
}

func appendSegmentURI(b []byte, tag string, msn int) []byte {
	b = append(append(append(b, "seg-"...), tag...), '-')
	return append(strconv.AppendInt(b, int64(msn), 10), ".m4s"...)
}

func appendPartURI(b []byte, tag string, msn, part int) []byte {
	b = append(append(append(b, "part-"...), tag...), '-')
	b = append(strconv.AppendInt(b, int64(msn), 10), '-')
	return append(strconv.AppendInt(b, int64(part), 10), ".m4s"...)
}

func appendInitURI(b []byte, n initName) []byte {
	b = append(append(append(b, "init-"...), n.tag...), '-')
	return append(strconv.AppendInt(b, int64(n.generation), 10), ".mp4"...)
}

// What a name in a URL asks for.
type kind uint8

const (
	unknown kind = iota
	livePlaylist
	dvrPlaylist
	replayPlaylist
	indexPlaylist // of live.m3u8, or of replay.m3u8 when the channel has ended
	dvrIndex
	replayIndex
	poster
	lessonFile
	initFile
	segmentFile
	partFile
	kinds int = iota // how many there are
)

// playlist reports whether a player begins or goes on with it, rather than be led there.
func (k kind) playlist() bool { return k >= livePlaylist && k <= replayIndex || k == lessonFile }

// resource is a name that has the right form; whether it exists is another question.
type resource struct {
	kind       kind
	rendition  string
	tag        string
	generation int
	msn, part  int
}

// parseName reads what stands behind the channel in a URL. Anything but the exact grammar is unknown.
//
//	name      = "index.m3u8" / "dvr.m3u8" / "replay.m3u8" / "poster.mp4" / "lesson.mp4" / rendition "/" file
//	rendition = "v" DIGIT / "a0"
//	file      = "live.m3u8" / "dvr.m3u8" / "replay.m3u8" / init / seg / part
//	init      = "init-" tag "-" number ".mp4"
//	seg       = "seg-" tag "-" number ".m4s"
//	part      = "part-" tag "-" number "-" number ".m4s"
//	tag       = number "-" 6letter
//	number    = "0" / (%x31-39 *8DIGIT)
func parseName(name string) resource {
	switch name {
	case "index.m3u8":
		return resource{kind: indexPlaylist}
	case "dvr.m3u8":
		return resource{kind: dvrIndex}
	case "replay.m3u8":
		return resource{kind: replayIndex}
	case "poster.mp4":
		return resource{kind: poster}
	case "lesson.mp4":
		return resource{kind: lessonFile}
	}
	folder, file, ok := strings.Cut(name, "/")
	if !ok || !isRendition(folder) {
		return resource{}
	}
	r := parseFile(file)
	r.rendition = folder
	return r
}

func isRendition(s string) bool {
	return len(s) == 2 && (s[0] == 'v' && '0' <= s[1] && s[1] <= '9' || s == "a0")
}

func parseFile(file string) (r resource) {
	switch file {
	case "live.m3u8":
		return resource{kind: livePlaylist}
	case "dvr.m3u8":
		return resource{kind: dvrPlaylist}
	case "replay.m3u8":
		return resource{kind: replayPlaylist}
	}
	ok := false
	if rest, is := between(file, "init-", ".mp4"); is {
		r.kind = initFile
		r.tag, rest, ok = cutTag(rest)
		if ok {
			r.generation, ok = parseNumber(rest)
		}
	} else if rest, is := between(file, "seg-", ".m4s"); is {
		r.kind = segmentFile
		r.tag, rest, ok = cutTag(rest)
		if ok {
			r.msn, ok = parseNumber(rest)
		}
	} else if rest, is := between(file, "part-", ".m4s"); is {
		r.kind = partFile
		r.tag, rest, ok = cutTag(rest)
		msn, part, both := strings.Cut(rest, "-")
		if ok = ok && both; ok {
			r.msn, ok = parseNumber(msn)
		}
		if ok {
			r.part, ok = parseNumber(part)
		}
	}
	if !ok {
		return resource{}
	}
	return r
}

func between(s, before, after string) (string, bool) {
	s, a := strings.CutPrefix(s, before)
	s, b := strings.CutSuffix(s, after)
	return s, a && b
}

// cutTag takes an epoch's tag and the dash behind it off s.
func cutTag(s string) (tag, rest string, ok bool) {
	number, rest, ok := strings.Cut(s, "-")
	if _, good := parseNumber(number); !ok || !good {
		return "", "", false
	}
	random, rest, ok := strings.Cut(rest, "-")
	if !ok || len(random) != tagRandom || strings.Trim(random, tagLetters) != "" {
		return "", "", false
	}
	return s[:len(number)+1+tagRandom], rest, true
}

// isTag reports whether s is a tag as newTag writes it.
func isTag(s string) bool {
	_, rest, ok := cutTag(s + "-")
	return ok && rest == ""
}

// parseNumber reads at most nine digits without leading zeros: no overflow on any machine.
func parseNumber(s string) (int, bool) {
	if s == "" || len(s) > 9 || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
