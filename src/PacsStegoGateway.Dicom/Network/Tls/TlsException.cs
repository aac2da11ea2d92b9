namespace PacsStegoGateway.Dicom.Network;

/// <summary>Files for TLS cannot be used, a handshake failed, or what came over the line is not what was sent.</summary>
public sealed class TlsException : IOException
{
    public TlsException(string message) : base(message)
    {
    }

    public TlsException(string message, Exception innerException) : base(message, innerException)
    {
    }
}
