// Owners of OpenSSL's objects.
#ifndef WORMHOLE_PROTO_TLS_OPENSSL_HANDLES_H_
#define WORMHOLE_PROTO_TLS_OPENSSL_HANDLES_H_

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace wormhole::tls {

template <auto Free>
struct OpensslDeleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, OpensslDeleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, OpensslDeleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>>;
using SslContext = std::unique_ptr<SSL_CTX, OpensslDeleter<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, OpensslDeleter<SSL_free>>;

// OpenSSL keeps errors for each thread; what is left there would be taken for somebody else's.
struct ErrorsCleared {
  ErrorsCleared() { ERR_clear_error(); }
  ~ErrorsCleared() { ERR_clear_error(); }
};

}  // namespace wormhole::tls

#endif  // WORMHOLE_PROTO_TLS_OPENSSL_HANDLES_H_
