package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
)

// clickOn clicks what says text and can be seen: the way of somebody who reads a page for the first time.
func (tb *tab) clickOn(text string) {
	tb.t.Helper()
	found := eval[bool](tb, `(() => {
		const says = (e) => e.innerText.replace(/\s+/g, " ").trim();
		const it = [...document.querySelectorAll("a, button, summary, label")].find((e) => e.getClientRects().length && says(e) === `+quote(text)+`);
		it?.click();
		return Boolean(it);
	})()`)
	if !found {
		tb.t.Fatalf("nothing on the page says %q\n%s", text, tb.describe())
	}
}

// choose sets the select that is labeled so to the option that holds text.
func (tb *tab) choose(label, text string) {
	tb.t.Helper()
	found := eval[bool](tb, `(() => {
		const select = [...document.querySelectorAll("select")].find((e) => e.labels[0]?.innerText.trim().startsWith(`+quote(label)+`));
		const option = [...select?.options ?? []].find((o) => o.text.includes(`+quote(text)+`));
		if (!option) return false;
		select.value = option.value;
		select.dispatchEvent(new Event("input", { bubbles: true }));
		return true;
	})()`)
	if !found {
		tb.t.Fatalf("no select %q offers %q\n%s", label, text, tb.describe())
	}
}

// takeWorkbook clicks on what says text and returns the first sheet of the workbook that comes.
func (tb *tab) takeWorkbook(text string) string {
	tb.t.Helper()
	eval[bool](tb, `(() => {
		const make = URL.createObjectURL;
		URL.createObjectURL = (blob) => {
			const reader = new FileReader();
			reader.onload = () => { window.taken = reader.result.split(",")[1]; };
			reader.readAsDataURL(blob);
			return make(blob);
		};
		window.taken = "";
		return true;
	})()`)
	tb.clickOn(text)
	tb.waitFor("the file has come", `window.taken`)
	b, err := base64.StdEncoding.DecodeString(eval[string](tb, `window.taken`))
	if err != nil {
		tb.t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		tb.t.Fatalf("what came is no workbook: %v", err)
	}
	f, err := z.Open("xl/worksheets/sheet1.xml")
	if err != nil {
		tb.t.Fatal(err)
	}
	sheet, err := io.ReadAll(f)
	if err != nil {
		tb.t.Fatal(err)
	}
	return string(sheet)
}

// termIsClosed reports whether every lesson of the demo's term that is over has its register.
func termIsClosed(admin *visitor) bool {
	var all struct{ Courses []struct{ ID string } }
	admin.get("/api/v1/courses", &all)
	closed := 0
	for _, course := range all.Courses {
		var of struct{ Lessons []struct{ State string } }
		admin.get("/api/v1/courses/"+course.ID+"/lessons?from=2000-01-01&until=2100-01-01", &of)
		for _, lesson := range of.Lessons {
			switch lesson.State {
			case "ended":
				return false
			case "closed":
				closed++
			}
		}
	}
	return closed > 0
}

// An admin who has never seen the product finds who missed more than 20% of Biology this term, and takes it away, from
// the page Today and by what can be read there.
func TestWhoMissedBiology(t *testing.T) {
	t.Parallel()
	s := open(t, "--no-broadcast")
	admin := s.signIn(s.Admin)
	s.waitUntil("the registers of the term are closed", func() bool { return termIsClosed(admin) })
	tb := s.openBrowser().openTab()
	tb.signIn(s.Admin)
	tb.clickOn("Today")
	tb.arrives("the page Today", "/today")
	tb.clickOn("Who missed more than 20% this term?")
	tb.arrives("the registers", "/registers")
	tb.choose("Course", "Biology")
	early := tb.takeWorkbook("Export students") // some press this before they press Show
	tb.clickOn("Show")
	tb.waitFor("Biology alone", `location.search.includes("course=") && document.readyState === "complete"`)

	var students int
	heading := eval[string](tb, `document.querySelector("h1").innerText`)
	if _, err := fmt.Sscanf(heading, "%d students missed more than 20", &students); err != nil || students == 0 {
		t.Fatalf("the heading is %q", heading)
	}
	if shown := eval[int](tb, `document.querySelectorAll("[data-sortable] tbody tr").length`); shown != students {
		t.Errorf("%q, and %d rows", heading, shown)
	}
	if bars := eval[int](tb, `document.querySelectorAll(".weeks .week").length`); bars < 5 {
		t.Errorf("the picture of the term has %d bars", bars)
	}
	sheet := tb.takeWorkbook("Export students")
	if rows := strings.Count(sheet, "<row ") - 1; rows != students || strings.Count(sheet, ">BIO-7B<") != students {
		t.Errorf("%q, and the workbook has %d rows, %d of Biology", heading, rows, strings.Count(sheet, ">BIO-7B<"))
	}
	if sheet != early {
		t.Error("what was exported before the page had been asked to show it is something else")
	}
	tb.keep("registers")
}
