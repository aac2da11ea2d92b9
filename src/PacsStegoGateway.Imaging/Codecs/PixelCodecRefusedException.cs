namespace PacsStegoGateway.Imaging.Codecs;

/// <summary>Why a codec will not do what it was asked, though nothing is wrong with the bytes.</summary>
public enum PixelCodecRefusal
{
    /// <summary>The native library is not on this machine; the message names the package.</summary>
    LibraryMissing,

    /// <summary>The codestream or the format is legal, but nothing here can decode or encode it.</summary>
    NotSupported,
}

/// <summary>A codec refused: pixels stay as they are, nothing is guessed and nothing is dropped.</summary>
public sealed class PixelCodecRefusedException(PixelCodecRefusal reason, string message) : Exception(message)
{
    public PixelCodecRefusal Reason { get; } = reason;

    internal static PixelCodecRefusedException NotSupported(string message) => new(PixelCodecRefusal.NotSupported, message);
}
