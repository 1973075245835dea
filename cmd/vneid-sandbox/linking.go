package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/vneid-sandbox/vneid-sandbox/exam"
	"github.com/vneid-sandbox/vneid-sandbox/exam/linking"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
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

// takeExams holds the exam of the faults, that of linking, or both, into one
// report.
func takeExams(ctx context.Context, o exam.Options, file *linking.File, tell func(exam.Finding)) (*exam.Report, error) {
	now := vneid.SystemClock{}.Now
	if file == nil {
		return exam.Run(ctx, o, now, tell)
	}
	transport, err := exam.Transport(o.CA)
	if err != nil {
		return nil, err
	}
	l := linking.Exam{File: file, API: o.API, Token: o.Token, Transport: transport, Now: now, Tell: tell}
	if o.LoginURL == "" {
		if len(o.Faults) > 0 && o.Faults[0] != "all" {
			l.Only = o.Faults
		}
		return linkingOf(ctx, l)
	}
	report, err := exam.Run(ctx, o, now, tell)
	if err != nil {
		return nil, err
	}
	more, err := linkingOf(ctx, l)
	if err != nil {
		return nil, err
	}
	// What the first could not judge without local accounts, and the second did.
	report.Findings = slices.DeleteFunc(report.Findings, func(f exam.Finding) bool {
		return f.Verdict == exam.Inconclusive && slices.ContainsFunc(more.Findings, func(m exam.Finding) bool { return m.ID == f.ID })
	})
	report.Add(more.Findings...)
	report.Millis += more.Millis
	return report, nil
}

func linkingOf(ctx context.Context, l linking.Exam) (*exam.Report, error) {
	report, err := l.Run(ctx)
	if err != nil {
		return nil, fmt.Errorf("linking: %w", err)
	}
	return report, nil
}
