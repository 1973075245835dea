package localca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
)

// pair is a key and the certificate of it.
type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (p pair) certPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw})
}

func (p pair) write(name string) error {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return replace(name, append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), p.certPEM()...), 0o600)
}

// readPair reads what write wrote.
func readPair(name string) (pair, error) {
	content, err := readFile(name)
	if err != nil {
		return pair{}, err
	}
	info, err := os.Stat(name)
	if err != nil {
		return pair{}, err
	}
	// Windows has no such bits.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return pair{}, fmt.Errorf("%s: others can read this key (mode %04o, wanted 0600): chmod 600 it", name, mode)
	}
	keyBlock, rest := pem.Decode(content)
	if keyBlock == nil || keyBlock.Type != "PRIVATE KEY" {
		return pair{}, fmt.Errorf("%s: broken: it does not begin with a private key in PEM", name)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return pair{}, fmt.Errorf("%s: broken: the key is no P-256 key in PKCS #8", name)
	}
	cert, err := onlyCertificate(rest)
	if err != nil {
		return pair{}, fmt.Errorf("%s: broken: after the key: %w", name, err)
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return pair{}, fmt.Errorf("%s: key and certificate do not belong together", name)
	}
	return pair{cert, key}, nil
}

func onlyCertificate(content []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(content)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("not a certificate in PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("not a certificate: %w", err)
	}
	return cert, nil
}

// longest is more than any file of ours, in bytes.
const longest = 64 << 10

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, longest))
}

// replace writes a file whole or not at all. Whoever calls it holds the lock.
func replace(name string, content []byte, mode os.FileMode) (err error) {
	fresh := name + ".new"
	_ = os.Remove(fresh) // of a process that was killed
	defer func() {
		if err != nil {
			_ = os.Remove(fresh)
			err = fmt.Errorf("write %s: %w", name, err)
		}
	}()
	f, err := os.OpenFile(fresh, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(fresh, name)
}
