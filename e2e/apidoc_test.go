//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docExample is a block of shell in a document, and what it prints when a block of JSON follows at once.
type docExample struct {
	line   int
	script string
	prints string
}

var docBlocks = regexp.MustCompile("(?ms)^```sh\n(.*?)^```\n+(?:```json\n(.*?)^```\n)?")

func docExamples(t *testing.T, name string) (list []docExample) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, at := range docBlocks.FindAllStringSubmatchIndex(text, -1) {
		e := docExample{line: 1 + strings.Count(text[:at[0]], "\n"), script: text[at[2]:at[3]]}
		if at[4] >= 0 {
			e.prints = text[at[4]:at[5]]
		}
		list = append(list, e)
	}
	return list
}

// TestTheExamplesOfTheAPIDocumentWork pastes every block of docs/api.md into one shell, in order, as a reader would,
// against a server of its own. What a block prints has the members that the document shows.
func TestTheExamplesOfTheAPIDocumentWork(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	examples := docExamples(t, "../docs/api.md")
	if len(examples) < 14 {
		t.Fatalf("%d examples are found", len(examples))
	}
	var script strings.Builder
	for i, e := range examples {
		here := strings.NewReplacer("http://localhost:9997", w.Sandbox, "http://localhost:9998", w.Issuer).Replace(e.script)
		fmt.Fprintf(&script, "{\n%s\n} > %d.out 2> %d.err; echo $? > %d.rc\n", here, i, i, i)
	}
	shell := exec.Command("bash", "-c", script.String())
	shell.Dir = dir
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for i, e := range examples {
		at := fmt.Sprintf("docs/api.md:%d", e.line)
		read := func(kind string) string {
			raw, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.%s", i, kind)))
			if err != nil {
				t.Fatalf("%s did not run to its end: %v", at, err)
			}
			return strings.TrimSpace(string(raw))
		}
		if code, complaint := read("rc"), read("err"); code != "0" || complaint != "" {
			t.Errorf("%s: exit code %s: %s", at, code, complaint)
		}
		printed := read("out")
		if !strings.HasPrefix(printed, "{") && !strings.HasPrefix(printed, "[") {
			if e.prints != "" {
				t.Errorf("%s prints %.300q", at, printed)
			}
			continue
		}
		answers := jsonOf(t, at, printed)
		if len(answers) == 0 {
			t.Errorf("%s prints nothing", at)
			continue
		}
		shown := jsonOf(t, at+" (the JSON below)", e.prints)
		for n, answer := range answers {
			problem, _ := answer.(map[string]any)
			wanted := false
			if len(shown) > 0 && n == len(answers)-1 {
				for _, wrong := range unlike("", shown[0], answer) {
					t.Errorf("%s: %s\n%s", at, wrong, printed)
				}
				said, _ := shown[0].(map[string]any)
				wanted = said["status"] != nil && said["type"] == "about:blank"
			}
			if problem["type"] == "about:blank" && !wanted {
				t.Errorf("%s is refused: %s", at, printed)
			}
		}
	}
}

func jsonOf(t *testing.T, at, text string) (list []any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	for {
		var v any
		err := dec.Decode(&v)
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Errorf("%s is no JSON: %v: %.300s", at, err, text)
			return list
		}
		list = append(list, v)
	}
}

// unlike says where an answer has other members than the document shows. Of lists the first items count.
func unlike(at string, shown, answer any) (wrong []string) {
	switch shown := shown.(type) {
	case map[string]any:
		answer, ok := answer.(map[string]any)
		if !ok {
			return []string{at + " is no object"}
		}
		for name, v := range shown {
			if _, there := answer[name]; !there {
				wrong = append(wrong, at+"."+name+" is shown and not there")
				continue
			}
			wrong = append(wrong, unlike(at+"."+name, v, answer[name])...)
		}
		for name := range answer {
			if _, there := shown[name]; !there {
				wrong = append(wrong, at+"."+name+" is there and not shown")
			}
		}
	case []any:
		list, ok := answer.([]any)
		switch {
		case !ok || len(list) == 0 && len(shown) > 0:
			return []string{at + " is no list with something in it"}
		case len(shown) > 0:
			return unlike(at+"[0]", shown[0], list[0])
		}
	default:
		if fmt.Sprintf("%T", shown) != fmt.Sprintf("%T", answer) {
			return []string{fmt.Sprintf("%s is %v, shown as %v", at, answer, shown)}
		}
	}
	return wrong
}
