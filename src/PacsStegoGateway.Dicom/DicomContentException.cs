namespace PacsStegoGateway.Dicom;

/// <summary>
/// The bytes of an object are wrong: this one instance fails, the association goes on.
/// (The other kinds of failure: <see cref="Network.DimseProtocolException"/>, the peer broke the protocol;
/// <see cref="ArgumentException"/> and <see cref="InvalidOperationException"/>, our own misuse; I/O, retry.)
/// </summary>
public sealed class DicomContentException : Exception
{
    public DicomContentException(string message) : base(message)
    {
    }

    public DicomContentException(string message, Exception innerException) : base(message, innerException)
    {
    }

    /// <summary>Says what is wrong, where: the tag being read and the byte offset from the start of the input.</summary>
    public DicomContentException(string message, long offset, Tag? tag = null)
        : base($"{(tag is { } t ? $"{t} " : "")}at 0x{offset:X}: {message}")
    {
        Offset = offset;
        Tag = tag;
    }

    /// <summary>Says what is wrong in DICOM JSON, where: the way to it from the outermost object, and the byte where reading stopped.</summary>
    internal DicomContentException(string jsonPointer, long offset, string message, Exception? innerException)
        : base($"{jsonPointer} before byte {offset}: {message}", innerException)
    {
        JsonPointer = jsonPointer;
        Offset = offset;
    }

    /// <summary>For DICOM JSON, the attribute or value as RFC 6901 names it, such as <c>/00081140/Value/0/00081155</c>; otherwise null.</summary>
    public string? JsonPointer { get; }

    /// <summary>Byte offset from the start of the input, or null where no place in the bytes is meant.</summary>
    public long? Offset { get; }

    /// <summary>The element being read, when known.</summary>
    public Tag? Tag { get; }
}
