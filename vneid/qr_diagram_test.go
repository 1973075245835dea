package vneid

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const qrDiagramBegin = "<!-- begin: drawn from vneid.QRTransitions -->\n"

func qrDiagram() string {
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n    [*] --> " + string(QRCreated) + "\n")
	for _, tr := range QRTransitions() {
		fmt.Fprintf(&b, "    %s --> %s : %s\n", tr[0], tr[2], tr[1])
	}
	for _, s := range allQRStates {
		if len(qrTable[s]) == 0 {
			fmt.Fprintf(&b, "    %s --> [*]\n", s)
		}
	}
	b.WriteString("```\n")
	return b.String()
}

func TestTheDiagramOfTheQRCodeIsTheTable(t *testing.T) {
	const file = "../docs/login-states.md"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(raw), qrDiagramBegin)
	drawn, tail, ok2 := strings.Cut(rest, diagramEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has lost its markers", file)
	}
	if *update {
		if err := os.WriteFile(file, []byte(head+qrDiagramBegin+qrDiagram()+diagramEnd+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		drawn = qrDiagram()
	}
	if drawn != qrDiagram() {
		t.Errorf("%s does not show the table; run: go test ./vneid -run %s -update", file, t.Name())
	}
	for _, s := range allQRStates {
		if !strings.Contains(tail, "\n| `"+string(s)+"` |") {
			t.Errorf("%s does not explain %s", file, s)
		}
	}
}
