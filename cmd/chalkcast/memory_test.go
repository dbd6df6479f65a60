package main

import (
	"testing"
	"testing/fstest"
)

// SEC-16: the smallest limit on the way up counts.
func TestMemoryLimit(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no control groups": {nil, 0},
		"a container": {map[string]string{
			"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1073741824\n",
		}, 1 << 30},
		"a service in a slice": {map[string]string{
			"proc/self/cgroup": "0::/system.slice/chalkcast.service\n", "sys/fs/cgroup/system.slice/memory.max": "2147483648\n",
			"sys/fs/cgroup/system.slice/chalkcast.service/memory.max": "max\n",
		}, 2 << 30},
		"nobody cares": {map[string]string{
			"proc/self/cgroup": "0::/x\n", "sys/fs/cgroup/x/memory.max": "max\n",
		}, 0},
		"version 1": {map[string]string{
			"proc/self/cgroup": "7:cpu,cpuacct:/x\n5:memory:/docker/x\n0::/\n",
			"sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": "536870912\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":          "9223372036854771712\n",
		}, 512 << 20},
		"nonsense": {map[string]string{
			"proc/self/cgroup": "\nx\n0::/../../..\n", "sys/fs/cgroup/memory.max": "-5\n",
		}, 0},
	} {
		root := fstest.MapFS{}
		for file, text := range test.files {
			root[file] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := memoryLimit(root); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}
