#pragma once
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
