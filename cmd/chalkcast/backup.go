package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chalkcast/classroom/database"
)

// manifest says what a backup holds. It is written last: a folder without one is not whole.
type manifest struct {
	Version  string        `json:"version"` // of the program
	At       time.Time     `json:"at"`
	Database database.Copy `json:"database"`
	// Spool are the segments that were still on their way to the storage, for whoever wonders later what is
	// missing: they are not in the backup, their lessons' journals are.
	Spool []spoolEntry `json:"spool"`
}

type spoolEntry struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

const (
	manifestName = "manifest.json"
	secretName   = "secret"
	spoolName    = "spool"
	journalName  = "journal.jsonl" // of a lesson, in its folder of the spool
)

type backupCmd struct {
	To string `arg:"" help:"A folder that is not there yet." placeholder:"DIR"`

	settings
}

// Run makes the backup in a folder beside the wanted one, which gets its name when everything is in it. The server may
// run meanwhile.
func (b *backupCmd) Run(ctx context.Context, env *environment) (err error) {
	if err := b.complete(usualData); err != nil {
		return err
	}
	if _, err := os.Stat(b.To); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("backup: %s is there already", b.To)
	}
	part := strings.TrimRight(b.To, "/") + ".part"
	if err := os.MkdirAll(filepath.Dir(part), 0o750); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := os.Mkdir(part, 0o700); err != nil {
		return fmt.Errorf("backup: %w (of a backup that broke off? remove it)", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(part))
		}
	}()
	m, err := b.copyTo(ctx, env, part)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := os.Rename(part, b.To); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	var bytes int64
	for _, f := range m.Database.Files {
		bytes += f.Bytes
	}
	_, err = fmt.Fprintf(env.stdout, "%s holds the school as of %s: schema %d, %d bytes.\n",
		b.To, m.At.Format(time.RFC3339), m.Database.Schema, bytes)
	return err
}

// copyTo copies the spool's journals before the database: a lesson that the database knows as ended then has no
// younger journal than that.
func (b *backupCmd) copyTo(ctx context.Context, env *environment, dir string) (m manifest, err error) {
	m = manifest{Version: version, At: time.Now().UTC().Truncate(time.Second), Spool: []spoolEntry{}}
	if err := copyPrivate(filepath.Join(b.Data, secretName), filepath.Join(dir, secretName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	if m.Spool, err = copySpool(filepath.Join(b.Data, spoolName), filepath.Join(dir, spoolName)); err != nil {
		return m, err
	}
	bar := newProgress(env.stderr)
	m.Database, err = database.Backup(ctx, database.Config{URL: b.Database, Log: env.logger(b.logSettings)}, dir,
		func(done, total int64) { bar.say("database", done, total) })
	if err != nil {
		return m, err
	}
	text, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return m, err
	}
	return m, writeOnce(filepath.Join(dir, manifestName), append(text, '\n'))
}

// copySpool copies the journals and lists what else there is. Files come and go while it looks.
func copySpool(from, to string) ([]spoolEntry, error) {
	list := []spoolEntry{}
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.Name() == journalName {
			err = copyPrivate(path, filepath.Join(to, name))
		} else if info, gone := d.Info(); gone == nil {
			list = append(list, spoolEntry{Name: filepath.ToSlash(name), Bytes: info.Size()})
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return list, err
}

// copyPrivate copies a small file, makes the folder it goes to, and syncs both.
func copyPrivate(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return writeOnce(to, text)
}

type restoreCmd struct {
	From string `arg:"" help:"The folder that chalkcast backup made." placeholder:"DIR"`

	settings
}

// Run puts a backup back. The server must not be running.
func (r *restoreCmd) Run(ctx context.Context, env *environment) error {
	if err := r.complete(usualData); err != nil {
		return err
	}
	m, err := readManifest(r.From)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	data, err := openData(r.Data)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer data.Close()
	if _, err := os.Stat(filepath.Join(r.Data, secretName)); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restore: %s holds a school already: move it away first", r.Data)
	}
	bar := newProgress(env.stderr)
	err = database.Restore(ctx, database.Config{URL: r.Database, Log: env.logger(r.logSettings)}, r.From, m.Database,
		func(done, total int64) { bar.say("database", done, total) })
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := r.restoreFiles(); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	_, err = fmt.Fprintf(env.stdout, "The school of %s is back. Start it with the recordings of its storage;\n`chalkcast reindex` finds those that are younger than the backup.\n", m.At.Format(time.RFC3339))
	return err
}

func readManifest(dir string) (m manifest, err error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%s is no backup, or not a whole one: it has no %s", dir, manifestName)
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%s: %w", manifestName, err)
	}
	return m, nil
}

// restoreFiles puts the journals and the secret where they were; the secret last, since it marks a folder in use.
func (r *restoreCmd) restoreFiles() error {
	from := filepath.Join(r.From, spoolName)
	if _, err := copySpool(from, filepath.Join(r.Data, spoolName)); err != nil {
		return err
	}
	err := copyPrivate(filepath.Join(r.From, secretName), filepath.Join(r.Data, secretName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // of a school that had not been started: it makes one
	}
	return err
}
