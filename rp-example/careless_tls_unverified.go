//go:build careless

package main

// Mistake tls-unverified.
//
// Real code: ServerCertificateCustomValidationCallback = (…) => true; it came
// with the sample, for a self-signed test server.
//
// Gain: whoever is on the way is the provider: he reads the secret and the
// codes, and answers as he likes.
//
// Found by: H07
//
// Right: oidc.go: newProvider; a private authority is named with PORTAL_CA
// (tls.go).

func init() {
	mistakes = append(mistakes, mistake{
		name: "tls-unverified", faults: "H07",
		does: text{"tắt kiểm tra chứng chỉ TLS", "TLS certificates are not verified"},
		make: func(p *portal, c *changes) {
			c.wire.TLSClientConfig.InsecureSkipVerify = true
		},
	})
}
