package main

import (
	"go/build"
	"os"
	"slices"
	"strings"
	"testing"
)

// What is wrong on purpose must not slip into a portal that people copy.
func TestNoCarelessFileIsCompiledWithoutTheTag(t *testing.T) {
	good, teaching := build.Default, build.Default
	good.BuildTags, teaching.BuildTags = nil, []string{"careless"}
	honest, err := good.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := teaching.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "careless") || !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		seen++
		if slices.Contains(honest.GoFiles, e.Name()) || slices.Contains(honest.TestGoFiles, e.Name()) {
			t.Errorf("%s belongs to the good portal: it lacks //go:build careless", e.Name())
		}
		if !slices.Contains(wrong.GoFiles, e.Name()) && !slices.Contains(wrong.TestGoFiles, e.Name()) {
			t.Errorf("%s belongs to no build", e.Name())
		}
	}
	if seen < 30 {
		t.Errorf("%d careless files seen", seen)
	}
	if !slices.Contains(honest.GoFiles, "careful.go") || slices.Contains(wrong.GoFiles, "careful.go") {
		t.Error("careful.go is the good portal's alone")
	}
	// Both builds differ in nothing else.
	for _, f := range honest.GoFiles {
		if f != "careful.go" && !slices.Contains(wrong.GoFiles, f) {
			t.Errorf("%s is missing in the careless build", f)
		}
	}
	for _, f := range honest.GoFiles {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if f != "careful.go" && strings.Contains(strings.ToLower(string(b)), "careless") {
			t.Errorf("%s speaks of the careless build: an honest file knows edition only", f)
		}
	}
}
