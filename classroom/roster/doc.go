// Package roster reads class lists as schools have them: CSV or TSV from a spreadsheet, in the encodings and with the
// headings that spreadsheets of our languages write.
//
//	bytes ─► encoding (BOM, zeros, UTF-8, GB18030) ─► separator (, ; TAB) ─► headings ─► File: lines and mistakes
//
//	file, err := roster.Read(bytes, "")   // a fault: nothing in it can be used
//	file.Mistakes                         // lines that cannot be used, and why
//
// It finds out as much as the bytes tell and says what it took them for, because no rule tells every encoding from
// every other: whoever imports looks at the names before anything changes, and may name the encoding.
//
// A file has at most 5 MiB, 20,000 people, 32 columns, and 4 KiB in a cell; all are checked before memory is taken
// for more (SEC-71). There are no workbooks, archives or addresses to fetch from here: they would open more doors than a
// list of names is worth.
//
// What the cells mean to the school (whose number it is, who may appoint a teacher) is package courses' to know. The
// package reads bytes, waits for nothing and starts no goroutine.
package roster
