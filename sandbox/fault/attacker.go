package fault

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/url"
	"sync"
	"time"
)

// AttackerKID names the key of the attacker.
const AttackerKID = "attacker-key"

// AttackerKeys is its public part, as a JWKS.
func AttackerKeys() []byte {
	set := &Object{}
	set.Set("keys", []any{})
	setKeys(set, [][]byte{foreignJWK(AttackerKID).Bytes()})
	return set.Bytes()
}

// SignAsAttacker signs by RS256.
func SignAsAttacker(input []byte) []byte { return signForeign(input) }

// AttackerPEM is a certificate that the attacker made out to itself.
func AttackerPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: attackerCertificate()})
}

var attackerCertificate = sync.OnceValue(func() []byte {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "attacker of vneid-sandbox"},
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC)} // whatever the world's clock says
	der, err := x509.CreateCertificate(rand.Reader, template, template, &foreignKey().PublicKey, foreignKey())
	if err != nil {
		panic("fault: a certificate: " + err.Error())
	}
	return der
})

// x5c is the certificate as a JOSE header has it (RFC 7515 §4.1.6).
func x5c() []string { return []string{base64.StdEncoding.EncodeToString(attackerCertificate())} }

// canary is an address of the attacker that tells of the fault at work whoever
// comes there. Without a listener for the attacker there is none, and the fault
// leaves the message alone.
func (x *Exchange) canary(what string) (string, bool) {
	if x.engine.attacker == nil {
		x.Untouched()
		return "", false
	}
	to := x.engine.attacker(x.World()) + "/canary/" + x.at.fault.ID + "/" + what
	if x.ClientID != "" {
		to += "?" + url.Values{"client_id": {x.ClientID}}.Encode()
	}
	return to, true
}

// onLoopback is an address as somebody writes it who wants a server to call
// itself.
func onLoopback(canary, host string) string {
	u, err := url.Parse(canary)
	if err != nil {
		return canary // ours can be read
	}
	u.Host = host + ":" + u.Port()
	return u.String()
}
