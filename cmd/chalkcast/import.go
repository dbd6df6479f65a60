package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/roster"
	"chalkcast/media"
	"chalkcast/templates"
)

// importCmd brings in what other programs know.
type importCmd struct {
	Roster importRosterCmd `cmd:"" help:"Bring a class list (CSV or TSV) into a course, as its page does."`
}

type importRosterCmd struct {
	File       string   `arg:"" help:"The list; - reads standard input."`
	Course     media.ID `help:"The course, as in its address." required:"" placeholder:"ID" env:"-"`
	As         string   `help:"Address of the admin in whose name it is done: the audit log says so." required:"" placeholder:"EMAIL" env:"-"`
	DryRun     bool     `help:"Only say what would change." env:"-"`
	EndMissing bool     `help:"End the enrollment of students whom the list does not name." env:"-"`
	Encoding   string   `help:"UTF-8, UTF-16LE, UTF-16BE, GB18030, Shift_JIS or Windows-1252; found out when left out." placeholder:"NAME" env:"-"`

	settings
}

// Run imports the list. The server may run meanwhile; it sees the change within half a minute. The error of a list with
// mistakes, of which nothing is applied, ends the program with status 1.
func (i *importRosterCmd) Run(ctx context.Context, env *environment) error {
	b, err := readList(i.File)
	if err != nil {
		return fmt.Errorf("read list: %w", err)
	}
	if err := i.complete(usualData); err != nil {
		return err
	}
	pages, err := templates.New()
	if err != nil {
		return err
	}
	file, err := roster.Read(b, i.Encoding)
	if err != nil {
		return inWords(pages, err)
	}
	log := env.logger(i.logSettings)
	db, err := database.Open(ctx, database.Config{URL: i.Database, Log: log})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer db.Close()
	acc, err := accounts.New(ctx, accounts.Config{DB: db, Log: log})
	if err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	who, err := adminByEmail(ctx, acc, i.As)
	if err != nil {
		return err
	}
	bar := newProgress(env.stderr)
	report, err := courses.New(courses.Config{DB: db, Accounts: acc, Log: log}).ImportRoster(ctx, courses.RosterImport{
		Course: i.Course, By: courses.Importer{ID: who.ID, Admin: true, Appoints: true}, File: file, EndMissing: i.EndMissing, DryRun: i.DryRun,
		Progress: func(done, total int) { bar.say("Importing", int64(done), int64(total)) },
	})
	if err != nil {
		return inWords(pages, err)
	}
	return i.tell(env.stdout, pages, file, report)
}

// readList reads a file no further than a list may be long.
func readList(name string) ([]byte, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, roster.MaxBytes+1))
}

// tell says what was done, or would be, or what is wrong with the list.
func (i *importRosterCmd) tell(w io.Writer, pages *templates.Set, file *roster.File, r *courses.RosterReport) error {
	fmt.Fprintf(w, "Read as %s: %s.\n", file.Encoding, lines(len(file.Lines)+file.Mistakes.N))
	for _, m := range r.Mistakes.List {
		column := ""
		if m.Fault.Field != "" {
			column = m.Fault.Field + ": "
		}
		fmt.Fprintf(w, "Line %d: %s%s\n", m.Line, column, pages.T("en", cmp.Or(m.Fault.Key, "error.400"), m.Fault.Data))
	}
	if hidden := r.Mistakes.N - len(r.Mistakes.List); hidden > 0 {
		fmt.Fprintf(w, "… and %d more.\n", hidden)
	}
	fmt.Fprintf(w, "%d new in the course (%d of them to the school), %d changed, %d unchanged, %d not in the list (%d leave).\n",
		r.New, r.Made, r.Changed, r.Unchanged, r.Missing, r.Ended)
	switch {
	case r.Mistakes.N > 0:
		return fmt.Errorf("%s cannot be used; nothing was changed", lines(r.Mistakes.N))
	case i.DryRun:
		fmt.Fprintln(w, "Nothing was changed: this was a dry run.")
	}
	return nil
}

// adminByEmail finds in whose name a command works.
func adminByEmail(ctx context.Context, acc *accounts.Accounts, email string) (accounts.User, error) {
	u, err := acc.UserByEmail(ctx, email)
	if err != nil {
		return u, fmt.Errorf("find %s: %w", email, err)
	}
	if !u.Admin || !u.DisabledAt.IsZero() {
		return u, fmt.Errorf("%s is no admin", email)
	}
	return u, nil
}

// inWords turns a fault into the sentence that a page would show.
func inWords(pages *templates.Set, err error) error {
	if f, ok := fault.Of(err); ok && f.Key != "" {
		return errors.New(pages.T("en", f.Key, f.Data))
	}
	return err
}

// lines counts lines in English.
func lines(n int) string {
	if n == 1 {
		return "1 line"
	}
	return fmt.Sprintf("%d lines", n)
}
