using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>A certificate revocation list (RFC 5280 5.1), read because the framework reads none from a file.</summary>
internal sealed class RevocationList
{
    private readonly byte[] _toBeSigned;
    private readonly byte[] _signature;
    private readonly string _algorithm;
    private readonly byte[] _issuer;
    private readonly DateTimeOffset? _nextUpdate;
    private readonly HashSet<string> _serials = [];

    private RevocationList(ReadOnlyMemory<byte> der)
    {
        // CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue }
        AsnReader list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        _toBeSigned = list.PeekEncodedValue().ToArray();
        AsnReader body = list.ReadSequence();
        _algorithm = list.ReadSequence().ReadObjectIdentifier();
        _signature = list.ReadBitString(out _);

        // TBSCertList ::= SEQUENCE { version?, signature, issuer, thisUpdate, nextUpdate?, revokedCertificates?, [0] extensions? }
        if (body.PeekTag().HasSameClassAndValue(Asn1Tag.Integer))
        {
            body.ReadInteger();
        }

        body.ReadSequence();
        _issuer = body.ReadEncodedValue().ToArray();
        ReadTime(body);
        _nextUpdate = body.HasData && IsTime(body.PeekTag()) ? ReadTime(body) : null;
        if (body.HasData && body.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence))
        {
            for (AsnReader revoked = body.ReadSequence(); revoked.HasData;)
            {
                _serials.Add(Convert.ToHexString(revoked.ReadSequence().ReadIntegerBytes().Span));
            }
        }
    }

    /// <summary>Every list of a file: PEM with any number, or DER with one.</summary>
    /// <exception cref="CryptographicException">It holds none, or one that cannot be read.</exception>
    public static IReadOnlyList<RevocationList> ReadAll(byte[] bytes)
    {
        try
        {
            if (bytes is [0x30, ..])
            {
                return [new RevocationList(bytes)];
            }

            var lists = new List<RevocationList>();
            ReadOnlySpan<char> rest = System.Text.Encoding.UTF8.GetString(bytes);
            while (PemEncoding.TryFind(rest, out PemFields fields))
            {
                if (rest[fields.Label] is "X509 CRL")
                {
                    lists.Add(new RevocationList(Convert.FromBase64String(rest[fields.Base64Data].ToString())));
                }

                rest = rest[fields.Location.End..];
            }

            return lists.Count > 0 ? lists : throw new CryptographicException("It holds no revocation list.");
        }
        catch (AsnContentException e)
        {
            throw new CryptographicException("A revocation list is damaged.", e);
        }
    }

    /// <summary>Why the chain is not good by these lists, or null. The root vouches for itself.</summary>
    public static string? Refuse(IReadOnlyList<RevocationList> lists, X509Chain chain, DateTimeOffset now)
    {
        for (int i = 0; i + 1 < chain.ChainElements.Count; i++)
        {
            X509Certificate2 certificate = chain.ChainElements[i].Certificate;
            X509Certificate2 issuer = chain.ChainElements[i + 1].Certificate;
            RevocationList? list = lists.FirstOrDefault(l => l._issuer.AsSpan().SequenceEqual(certificate.IssuerName.RawData) && l.IsSignedBy(issuer));
            if (list is null)
            {
                return "there is no revocation list of its issuer";
            }

            if (list._nextUpdate < now)
            {
                return "the revocation list of its issuer is out of date";
            }

            if (list._serials.Contains(Convert.ToHexString(certificate.SerialNumberBytes.Span)))
            {
                return "it was revoked";
            }
        }

        return null;
    }

    private bool IsSignedBy(X509Certificate2 issuer)
    {
        (HashAlgorithmName hash, bool isEllipticCurve) = _algorithm switch
        {
            "1.2.840.113549.1.1.11" => (HashAlgorithmName.SHA256, false),
            "1.2.840.113549.1.1.12" => (HashAlgorithmName.SHA384, false),
            "1.2.840.113549.1.1.13" => (HashAlgorithmName.SHA512, false),
            "1.2.840.10045.4.3.2" => (HashAlgorithmName.SHA256, true),
            "1.2.840.10045.4.3.3" => (HashAlgorithmName.SHA384, true),
            "1.2.840.10045.4.3.4" => (HashAlgorithmName.SHA512, true),
            _ => (default, false),
        };
        if (hash == default)
        {
            return false;
        }

        if (isEllipticCurve)
        {
            using ECDsa? curve = issuer.GetECDsaPublicKey();
            return curve?.VerifyData(_toBeSigned, _signature, hash, DSASignatureFormat.Rfc3279DerSequence) == true;
        }

        using RSA? rsa = issuer.GetRSAPublicKey();
        return rsa?.VerifyData(_toBeSigned, _signature, hash, RSASignaturePadding.Pkcs1) == true;
    }

    private static bool IsTime(Asn1Tag tag) =>
        tag.HasSameClassAndValue(Asn1Tag.UtcTime) || tag.HasSameClassAndValue(Asn1Tag.GeneralizedTime);

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();
}
