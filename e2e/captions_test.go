package e2e

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// Captions that the teacher's encoder puts into the pictures (CEA-608) are shown live and in the replay, and beside
// them a WebVTT file that the teacher uploads.
func TestCaptions(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	encoder := ffmpeg(t, "-re", "-stream_loop", "-1", "-i", captioned(t, "Cells"), "-c", "copy", "-f", "flv", s.publishURL())
	teacher := s.signIn(s.Teacher)
	s.goLive(teacher)
	student := s.openBrowser().openTab()
	student.signIn(s.Students[0])
	student.open("/lessons/" + s.LessonID)
	student.waitFrames(25)
	t.Run("live", func(t *testing.T) {
		student := student.in(t)
		student.waitFor("captions are offered", `document.querySelector("[data-do=captions]").checkVisibility()`)
		student.waitFor("none is shown before somebody asks", `![...document.querySelector("video").textTracks].some((track) => track.mode === "showing")`)
		student.press("c")
		student.waitFor("the words of the stream are shown", caption("Cells"))
		student.keep("stream")
	})
	teacher.order(s.LessonID, "end")
	encoder.kill()

	desk := s.openBrowser().openTab()
	desk.signIn(s.Teacher)
	desk.open("/lessons/" + s.LessonID)
	desk.click(`a[href$="/captions"]`)
	desk.uploadCaptions("zh-Hans", "1\n00:00:00,500 --> 00:00:20,000\nx\n")
	desk.waitFor("it says what is wrong", `document.querySelector(".field-bad .error")?.textContent.includes("SRT")`)
	desk.uploadCaptions("zh-Hans", "WEBVTT\n\n00:00.000 --> 01:00.000\n细胞与组织\n")
	desk.waitFor("they are there", `document.querySelector(".keys-list b")?.lang === "zh-Hans"`)
	desk.keep("page")

	student.open("/lessons/" + s.LessonID)
	student.click("#after [data-replay]")
	language := `document.querySelector("[data-do=language]")`
	t.Run("replay", func(t *testing.T) {
		student := student.in(t)
		student.waitFor("one can choose", language+`.checkVisibility() && `+language+`.options.length === 3`)
		student.waitFor("those of the stream are shown, as before", caption("Cells"))
	})
	t.Run("file", func(t *testing.T) {
		student := student.in(t)
		chosen := `[...` + language + `.options].find((o) => o.text === "简体中文")`
		student.waitFor("it is offered", chosen)
		eval[bool](student, language+`.value = `+chosen+`.value, `+language+`.dispatchEvent(new Event("change")), true`)
		student.waitFor("the words of the file are shown", caption("细胞与组织"))
		student.keep("file")
	})
	desk.click(".keys-list button")
	desk.click("dialog[open] .danger")
	desk.waitFor("they are gone", `!document.querySelector(".keys-list")`)
	if status, _ := teacher.do(http.MethodGet, "/api/v1/lessons/"+s.LessonID+"/captions/zh-Hans", nil); status != http.StatusNotFound {
		t.Errorf("captions that were removed: %d, want 404", status)
	}
}

// caption is true while the page shows one with this text.
func caption(text string) string {
	return `[...document.querySelector("video").textTracks].some((track) => track.mode === "showing" && [...(track.activeCues ?? [])].some((cue) => cue.text.includes(` + quote(text) + `)))`
}

// uploadCaptions fills in the form and sends it.
func (tb *tab) uploadCaptions(lang, file string) {
	tb.t.Helper()
	name := filepath.Join(tb.t.TempDir(), "captions.vtt")
	if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
		tb.t.Fatal(err)
	}
	tb.run("choose a file",
		chromedp.SetValue(chromedp.CSS(`select[name=lang]`), lang),
		chromedp.SetUploadFiles(chromedp.CSS(`input[name=file]`), []string{name}),
		chromedp.Click(chromedp.CSS(`.import-form button`)),
	)
}

// captioned is the clip with a word in its pictures as CEA-608, for half of every second: an SEI unit before each picture
// (ATSC A/53 part 4 section 6.2.3) with one pair of bytes for the first field (CTA-608).
func captioned(t *testing.T, word string) string {
	t.Helper()
	flv, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	const perSecond = 25
	resume, erase, row15, show, clean := [2]byte{0x14, 0x20}, [2]byte{0x14, 0x2e}, [2]byte{0x14, 0x60}, [2]byte{0x14, 0x2f}, [2]byte{0x14, 0x2c}
	pairs := [][2]byte{resume, resume, erase, erase, row15, row15} // orders are sent twice
	for letters := range slices.Chunk([]byte(word+" "), 2) {
		if len(letters) == 2 {
			pairs = append(pairs, [2]byte(letters))
		}
	}
	pairs = append(pairs, show, show)
	pairs = slices.Concat(pairs, make([][2]byte, perSecond-2-len(pairs)), [][2]byte{clean, clean})

	// Tags come in the order of decoding; words go by the order of showing.
	type tag struct {
		body  []byte
		shown int // in milliseconds
	}
	var pictures []tag
	var out bytes.Buffer
	out.Write(flv[:13])
	place := map[int]int{} // of a picture among those shown
	for round := range 2 {
		for rest := flv[13:]; len(rest) >= 15; {
			size := int(rest[1])<<16 | int(rest[2])<<8 | int(rest[3])
			at := int(rest[4])<<16 | int(rest[5])<<8 | int(rest[6])
			head, body := rest[:11], rest[11:11+size]
			rest = rest[11+size+4:]
			picture := head[0] == 9 && body[0]&0x0f == 7 && body[1] == 1
			shown := 0
			if picture {
				shown = at + int(int32(uint32(body[2])<<24|uint32(body[3])<<16|uint32(body[4])<<8)>>8)
			}
			if round == 0 {
				if picture {
					pictures = append(pictures, tag{body, shown})
				}
				continue
			}
			if picture {
				pair := [2]byte{}
				if n := place[shown] % perSecond; n < len(pairs) {
					pair = pairs[n]
				}
				unit := sei608(pair)
				body = slices.Concat(body[:5], binary.BigEndian.AppendUint32(nil, uint32(len(unit))), unit, body[5:])
			}
			out.Write([]byte{head[0], byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))})
			out.Write(head[4:])
			out.Write(body)
			out.Write(binary.BigEndian.AppendUint32(nil, uint32(11+len(body))))
		}
		slices.SortFunc(pictures, func(a, b tag) int { return cmp.Compare(a.shown, b.shown) })
		for i, p := range pictures {
			place[p.shown] = i
		}
	}
	name := filepath.Join(t.TempDir(), "captioned.flv")
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func sei608(pair [2]byte) []byte {
	odd := func(b byte) byte {
		if bits.OnesCount8(b)%2 == 0 {
			return b | 0x80
		}
		return b
	}
	payload := []byte("\xb5\x00\x31GA94\x03\xc1\xff\xfc" + string([]byte{odd(pair[0]), odd(pair[1])}) + "\xff")
	return slices.Concat([]byte{6, 4, byte(len(payload))}, payload, []byte{0x80})
}
