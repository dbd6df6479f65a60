package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Gateway is an S3 server for tests.
type Gateway struct{ Endpoint, AccessKey, SecretKey string }

// StartGateway returns the S3 server at the address in CHALKCAST_TEST_S3, with the keys in CHALKCAST_TEST_S3_KEY
// and CHALKCAST_TEST_S3_SECRET. Without these it starts versitygw: the program at CHALKCAST_VERSITYGW, or the
// one of our tools module, which the go command builds when it has not done so before. Call stop at the end.
func StartGateway() (g Gateway, stop func(), err error) {
	if endpoint := os.Getenv("CHALKCAST_TEST_S3"); endpoint != "" {
		return Gateway{endpoint, os.Getenv("CHALKCAST_TEST_S3_KEY"), os.Getenv("CHALKCAST_TEST_S3_SECRET")}, func() {}, nil
	}
	program, err := versitygw()
	if err != nil {
		return Gateway{}, nil, fmt.Errorf("these tests need an S3 server: set CHALKCAST_TEST_S3 (with _KEY and _SECRET) to the "+
			"address of one, or CHALKCAST_VERSITYGW to the program versitygw, or run `make tools`: %w", err)
	}
	dir, err := os.MkdirTemp(memoryFolder(), "chalkcast-s3-")
	if err != nil {
		return Gateway{}, nil, err
	}
	g, kill, err := run(program, dir)
	if err != nil {
		os.RemoveAll(dir)
		return Gateway{}, nil, err
	}
	return g, func() { kill(); os.RemoveAll(dir) }, nil
}

// memoryFolder is where files cost least: nothing here is about surviving a power cut. Empty means the usual place.
func memoryFolder() string {
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err == nil && info.IsDir() {
		return shm
	}
	return ""
}

func versitygw() (string, error) {
	if program := os.Getenv("CHALKCAST_VERSITYGW"); program != "" {
		return program, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "tool", "-modfile=tools/go.mod", "-n", "versitygw")
	cmd.Dir = root
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("build versitygw: %s", bytes.TrimSpace(exit.Stderr))
	}
	return strings.TrimSpace(string(out)), err
}

func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	return filepath.Dir(strings.TrimSpace(string(out))), err
}

// run starts program on a free port, keeping everything in dir, and waits until it answers.
func run(program, dir string) (g Gateway, kill func(), err error) {
	address, err := freeAddress()
	if err != nil {
		return Gateway{}, nil, err
	}
	data, sidecar := filepath.Join(dir, "data"), filepath.Join(dir, "sidecar")
	if err := errors.Join(os.Mkdir(data, 0o700), os.Mkdir(sidecar, 0o700)); err != nil {
		return Gateway{}, nil, err
	}
	g = Gateway{"http://" + address, "test", "test-secret"}
	var output bytes.Buffer
	cmd := exec.Command(program, "--port", address, "--quiet", "--keep-alive", "posix", "--sidecar", sidecar, data)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+g.AccessKey, "ROOT_SECRET_KEY="+g.SecretKey)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return Gateway{}, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	died := make(chan error, 1)
	go func() { died <- cmd.Wait(); cancel() }() // ends with the process, which kill waits for
	kill = func() {
		cmd.Process.Kill()
		<-died
	}
	if err := answers(ctx, address); err != nil {
		kill()
		return Gateway{}, nil, fmt.Errorf("versitygw does not answer: %w\n%s", err, output.String())
	}
	return g, kill, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func answers(ctx context.Context, address string) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			err = c.Close()
		}
		return struct{}{}, err
	}, backoff.WithBackOff(backoff.NewConstantBackOff(20*time.Millisecond)), backoff.WithMaxElapsedTime(0))
	return err
}
