#include "proto/tls/testing/certificates.h"

#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>

#include "proto/tls/openssl_handles.h"

namespace wormhole::tls {
namespace {

void Require(bool good) {
  if (good) return;
  ERR_print_errors_fp(stderr);
  std::abort();
}

Bio Reader(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  Require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

void SetName(X509* certificate, const std::string& name) {
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
}

}  // namespace

TestCertificate MakeTestCertificate(const TestCertificateOptions& options) {
  static int64_t serial = 1;
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  Require(key != nullptr && certificate != nullptr);
  Certificate issuer;
  Key issuer_key;
  if (options.signer != nullptr) {
    issuer.reset(
        PEM_read_bio_X509(Reader(options.signer->certificate).get(), nullptr, nullptr, nullptr));
    issuer_key.reset(
        PEM_read_bio_PrivateKey(Reader(options.signer->key).get(), nullptr, nullptr, nullptr));
    Require(issuer != nullptr && issuer_key != nullptr);
  }
  X509* const by = issuer != nullptr ? issuer.get() : certificate.get();
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), options.valid_from);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), options.valid_until);
  SetName(certificate.get(), "test " + std::to_string(serial));
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(by));
  X509_set_pubkey(certificate.get(), key.get());
  if (options.names.empty()) {
    AddExtension(certificate.get(), by, NID_basic_constraints, "critical,CA:TRUE");
  } else {
    AddExtension(certificate.get(), by, NID_subject_alt_name, options.names);
  }
  EVP_PKEY* const signing = issuer_key != nullptr ? issuer_key.get() : key.get();
  Require(X509_sign(certificate.get(), signing, EVP_sha256()) > 0);
  const Bio certificate_out(BIO_new(BIO_s_mem()));
  const Bio key_out(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_X509(certificate_out.get(), certificate.get()) == 1);
  Require(PEM_write_bio_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                   nullptr) == 1);
  return {TextOf(certificate_out.get()), TextOf(key_out.get())};
}

}  // namespace wormhole::tls
