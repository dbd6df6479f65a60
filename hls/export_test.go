package hls

// File is what the spool asks of an open file.
type File = file

// Inject lets faults come between the spool and its files.
func (c *Config) Inject(fault func(name string, f File) File) { c.fault = fault }
