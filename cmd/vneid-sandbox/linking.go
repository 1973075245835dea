package main

import (
	"fmt"
	"io"
	"os"

	"github.com/vneid-sandbox/vneid-sandbox/exam/linking"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
)

// linkingFile reads how a portal signs in, links and lets go, and reports every
// mistake at once.
func linkingFile(name string) (*linking.File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, strictyaml.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	into := &linking.File{}
	f := strictyaml.Read(name, data, into)
	into.Check(f.Add)
	return into, f.Mistakes.Err()
}
