//go:build careless

package main

// Mistake discovery-issuer.
//
// Real code: the document is fetched and its endpoints are used, at every
// sign-in anew.
//
// Gain: a document that belongs to somebody else is taken for the provider's,
// endpoints and keys included (Discovery 4.3).
//
// Found by: E01
//
// Right: oidc.go: discover; go-oidc compares.

func init() {
	mistakes = append(mistakes, mistake{
		name: "discovery-issuer", faults: "E01",
		does: text{"không so issuer của tài liệu discovery", "the issuer of the discovery document is not compared"},
		make: func(p *portal, c *changes) {
			c.asksEveryTime(p)
			c.metadata = append(c.metadata, func(o map[string]any) { o["issuer"] = p.cfg.Issuer })
		},
	})
}
