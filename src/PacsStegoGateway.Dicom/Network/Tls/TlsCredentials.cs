namespace PacsStegoGateway.Dicom.Network;

/// <summary>
/// Certificates, authorities and revocation lists of one end, read again when their files change: each handshake uses what
/// the files hold then, associations that are open go on.
/// </summary>
/// <remarks>Thread-safe. Files that cannot be used leave what was there before in place and are told to the listener once.</remarks>
public sealed class TlsCredentials
{
    private readonly TlsFiles _files;
    private readonly Action<string>? _told;
    private readonly Lock _gate = new();
    private TlsContents _contents;
    private TlsContents? _bad;
    private TlsMaterial _material;
    private string? _complaint;

    /// <param name="told">Hears in words when new files are in use, or cannot be.</param>
    /// <exception cref="TlsException">The files cannot be used.</exception>
    public TlsCredentials(TlsFiles files, Action<string>? told = null)
    {
        _files = files;
        _told = told;
        _contents = TlsContents.Read(files);
        _material = TlsMaterial.Of(files, _contents);
    }

    /// <summary>When our certificate ends, UTC; null without one.</summary>
    public DateTimeOffset? NotAfter => _material.Certificate?.TargetCertificate.NotAfter.ToUniversalTime();

    /// <summary>What the files hold now. The few kilobytes are read for each handshake: cheaper than it, and no notice of the
    /// file system to be missed when a folder is swapped under us.</summary>
    internal TlsMaterial Current()
    {
        lock (_gate)
        {
            try
            {
                TlsContents now = TlsContents.Read(_files);
                if (!now.IsSame(_contents) && _bad?.IsSame(now) != true)
                {
                    _bad = now;
                    _material = TlsMaterial.Of(_files, now);
                    (_contents, _bad, _complaint) = (now, null, null);
                    _told?.Invoke("The certificate files have changed and are in use.");
                }
            }
            catch (TlsException e)
            {
                if (e.Message != _complaint)
                {
                    _complaint = e.Message;
                    _told?.Invoke($"The certificate files have changed and are not used: {e.Message}");
                }
            }

            return _material;
        }
    }
}
