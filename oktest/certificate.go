package oktest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"
)

// newCertificate returns a certificate for hosts and the pool of the authority
// that signed it, which nobody else trusts and whose key is thrown away.
func newCertificate(hosts ...string) (tls.Certificate, *x509.CertPool) {
	authority := unsignedCertificate(1, "oktest authority")
	authority.IsCA = true
	authority.KeyUsage = x509.KeyUsageCertSign
	authorityKey, key := newKey(), newKey()
	root := sign(authority, authority, authorityKey, authorityKey)
	pool := x509.NewCertPool()
	pool.AddCert(root)

	leaf := unsignedCertificate(2, hosts[0])
	leaf.DNSNames = hosts
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	signed := sign(leaf, root, key, authorityKey)
	return tls.Certificate{Certificate: [][]byte{signed.Raw}, PrivateKey: key}, pool
}

// unsignedCertificate returns what all certificates have in common. They are valid in the
// time of a synctest bubble, too, which begins in 2000.
func unsignedCertificate(serial int64, name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(serial),
		Subject:               pkix.Name{CommonName: name, Organization: []string{"oktest"}},
		NotBefore:             time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		BasicConstraintsValid: true,
	}
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("okru: oktest: cannot make a key: " + err.Error())
	}
	return key
}

func sign(c, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	raw, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		panic("okru: oktest: cannot make a certificate: " + err.Error())
	}
	signed, err := x509.ParseCertificate(raw)
	if err != nil {
		panic("okru: oktest: cannot make a certificate: " + err.Error())
	}
	return signed
}
