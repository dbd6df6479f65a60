package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/hls"
	"chalkcast/media"
)

// reindexCmd is for the day after a restore (FLT-30): the storage has recordings that the database has forgotten.
type reindexCmd struct {
	As     string   `help:"Address of the admin in whose name it is done: the audit log says so." required:"" placeholder:"EMAIL" env:"-"`
	Into   media.ID `help:"A course, as in its address, that gets the recordings whose lessons are not in the database any more." placeholder:"ID" env:"-"`
	Title  string   `help:"What those lessons are called. (default ${default})" default:"Recording" env:"-"`
	DryRun bool     `help:"Only say what would change." env:"-"`

	settings
}

// Run finds the lessons. The server may run meanwhile. What is not done when it is stopped is done by the next run.
func (i *reindexCmd) Run(ctx context.Context, env *environment) error {
	if err := i.complete(usualData); err != nil {
		return err
	}
	db, err := database.Open(ctx, database.Config{URL: i.Database, Log: env.logger(i.logSettings)})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer db.Close()
	d, err := openDesk(ctx, db, env, &i.settings)
	if err != nil {
		return err
	}
	admin, err := adminByEmail(ctx, d.accounts, i.As)
	if err != nil {
		return err
	}
	x := &reindexing{reindexCmd: i, desk: d, by: admin.ID}
	if i.Into != 0 {
		if x.into, err = d.courses.Course(ctx, i.Into); err != nil {
			return fmt.Errorf("find course %s: %w", i.Into, err)
		}
	}
	all, err := x.forgotten(ctx, newProgress(env.stderr))
	if err != nil {
		return err
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(env.stdout, "The database knows every recording of the storage.")
		return err
	}
	return x.tell(ctx, env, all)
}

// reindexing is one run of the command.
type reindexing struct {
	*reindexCmd
	*desk
	by   media.ID
	into courses.Course

	recalled, adopted, homeless int
}

// forgotten returns the recordings of which the database does not know that their lessons were held.
func (x *reindexing) forgotten(ctx context.Context, bar *progress) (all []hls.Recording, err error) {
	held, err := x.lessons.Held(ctx)
	if err != nil {
		return nil, err
	}
	store, closeStore, err := openStore(ctx, &x.settings)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	const line = "files in the storage: %d, forgotten recordings: %d"
	var files, recordings int
	all, err = hls.Recordings(ctx, store, func(lesson media.ID) bool { return !held[lesson] }, func(f, r int) {
		files, recordings = f, r
		bar.draw(false, line, files, recordings)
	})
	bar.draw(true, line, files, recordings)
	return all, err
}

// tell does what is to be done with each recording and says so, in the time of the school.
func (x *reindexing) tell(ctx context.Context, env *environment, all []hls.Recording) error {
	zone := x.accounts.WebSchool().Zone
	w := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	for _, r := range all {
		what, err := x.settle(ctx, r)
		if err != nil {
			return errors.Join(err, w.Flush())
		}
		when := "?"
		if !r.Began.IsZero() {
			when = r.Began.In(zone).Format("2006-01-02 15:04") + "–" + r.Ended.In(zone).Format("15:04")
		}
		fmt.Fprintf(w, "%s\t%s\t%d MB\t%s\n", r.Lesson, when, (r.Bytes+500_000)/1_000_000, what)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	x.sum(env.stdout, len(all))
	return nil
}

// settle lets the database know of a recording and says what became of it.
func (x *reindexing) settle(ctx context.Context, r hls.Recording) (string, error) {
	if r.Began.IsZero() {
		return "cannot be played: its index never reached the storage", nil
	}
	held := lessons.Recording{Lesson: r.Lesson, Began: r.Began, Ended: r.Ended}
	row, err := x.recall(ctx, held)
	switch {
	case fault.Is(err, fault.KindNotFound):
		return x.adopt(ctx, held)
	case fault.Is(err, fault.KindConflict):
		return "on air since just now", nil
	case err != nil:
		return "", err
	}
	x.recalled++
	course, err := x.courses.Course(ctx, row.CourseID)
	return fmt.Sprintf("%s, %s", course.Code, row.Title), err
}

func (x *reindexing) recall(ctx context.Context, r lessons.Recording) (lessons.Lesson, error) {
	if x.DryRun {
		return x.lessons.Find(ctx, r.Lesson)
	}
	return x.lessons.Recall(ctx, r, x.by)
}

func (x *reindexing) adopt(ctx context.Context, r lessons.Recording) (string, error) {
	if x.Into == 0 {
		x.homeless++
		return "its lesson is not in the database any more", nil
	}
	x.adopted++
	if !x.DryRun {
		if _, err := x.lessons.Adopt(ctx, r, x.into, x.Title, x.by); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s, %s (new)", x.into.Code, x.Title), nil
}

// sum says how many recordings fared how, and what can be done about the others.
func (x *reindexing) sum(w io.Writer, all int) {
	fmt.Fprintf(w, "\n%d of %d forgotten recordings have their lesson back, %d have a new one.\n", x.recalled, all, x.adopted)
	if x.homeless > 0 {
		fmt.Fprintln(w, "Those without a lesson stay in the storage; --into COURSE makes lessons for them.")
	}
	if x.DryRun {
		fmt.Fprintln(w, "Nothing was changed: this was a dry run.")
	}
}
