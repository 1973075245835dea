package fault

import (
	"fmt"
	"strings"
)

// Document is the catalogue for people: docs/faults.md.
func Document() string {
	var b strings.Builder
	b.WriteString(`# Faults: what the provider can do wrong on purpose

A relying party that was only ever tested with a right provider was never tested. Arm one of these for your client and sign in: what does it do?

    curl -X PUT http://localhost:9997/api/v1/clients/my-portal/faults -H 'Content-Type: application/json' -d '{"faults":[{"id":"C01"}]}'

Or let ` + "`vneid-sandbox exam`" + ` try them all ([exam.md](exam.md)). This file is made from the catalogue (` + "`sandbox/fault`" + `); ` + "`GET /api/v1/faults`" + ` and ` + "`vneid-sandbox faults`" + ` show the same.

Grades: **must** – the specification demands that the relying party reacts; **should** – recommended; **either** – both are allowed, what it does is recorded; **accept** – no fault at all: a relying party that refuses is too strict. Everything but the described wrong stays right: tokens carry the provider's own signature unless the signature is the fault.

`)
	list := Catalogue()
	fmt.Fprintf(&b, "%d faults.\n", len(list))
	for _, s := range Sections {
		begun := false
		for i := range list {
			f := &list[i]
			if f.Section != s.ID {
				continue
			}
			if !begun {
				fmt.Fprintf(&b, "\n## %s %s\n\n%s\n", s.ID, s.Title.En, s.Title.Vi)
				begun = true
			}
			fmt.Fprintf(&b, "\n### %s `%s` – %s\n\n", f.ID, f.Name, f.Title.En)
			fmt.Fprintf(&b, "*%s.* Grade **%s** · at `%s`", f.Title.Vi, f.Grade, f.Seam)
			if len(f.Spec) > 0 {
				b.WriteString(" · " + strings.Join(f.Spec, "; "))
			}
			fmt.Fprintf(&b, "\n\n- %s<br>%s\n- Right: %s<br>Đúng: %s\n", f.What.En, f.What.Vi, f.Right.En, f.Right.Vi)
			if f.Skippable != nil {
				fmt.Fprintf(&b, "- May be skipped: %s<br>Có thể bỏ qua: %s\n", f.Skippable.En, f.Skippable.Vi)
			}
			if len(f.Asks) > 0 {
				fmt.Fprintf(&b, "- Only when the relying party uses: %s\n", strings.Join(f.Asks, ", "))
			}
			if f.Attacker {
				b.WriteString("- Needs `--attack-listen` ([attacker.md](attacker.md))\n")
			}
			for _, v := range f.Variants {
				fmt.Fprintf(&b, "- `%s`: %s – %s\n", v.Name, v.About.En, v.About.Vi)
			}
		}
	}
	return b.String()
}
