// Package reports writes registers as files that people open in a spreadsheet: workbooks, CSV in every form that
// programs ask for, and the names of those files. What the figures are, package attendance decides.
//
//	attendance.Register ──► register.v1 (register.go) ──┬─► CSV (csv.go) ───┬─► the answer, and one audit line
//	                              typed cells (value.go) └─► XLSX (xlsx.go) ─┘
//
// A format has a name and a version, a fixed English header in its first line, one row per student, and grows at
// its right end only. The same register is the same bytes for every reader, whatever their language. Text that a
// spreadsheet would run as a formula is made harmless and can be read back (Unescape).
//
// Rows are written as they are made, in workbooks too (rows.go): no file is ever held. What is held is the register,
// matrix or list that it is made from; BenchmarkExports says how much that is. The package starts no
// goroutine.
package reports
