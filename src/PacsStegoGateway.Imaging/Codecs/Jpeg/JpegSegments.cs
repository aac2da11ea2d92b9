using System.Buffers.Binary;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>Walks over the marker segments of a JPEG or JPEG-LS stream (ITU-T T.81 B.1).</summary>
internal ref struct JpegSegments
{
    public const byte StartOfImage = 0xD8, EndOfImage = 0xD9, StartOfScan = 0xDA, HuffmanTables = 0xC4, QuantizationTables = 0xDB,
        RestartInterval = 0xDD, Restart0 = 0xD0, Restart7 = 0xD7, App0 = 0xE0, App14 = 0xEE, App15 = 0xEF;

    private readonly ReadOnlySpan<byte> _bytes;

    /// <exception cref="DicomContentException">The bytes do not begin with a start of image.</exception>
    public JpegSegments(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 4 || bytes[0] != 0xFF || bytes[1] != StartOfImage)
        {
            throw new DicomContentException("The codestream does not begin with a JPEG start of image.");
        }

        _bytes = bytes;
        Position = 2;
    }

    /// <summary>Where the next marker is looked for; to be moved behind entropy-coded data by whoever read it.</summary>
    public int Position { get; set; }

    /// <summary>The marker found, without its FF.</summary>
    public byte Marker { get; private set; }

    /// <summary>Where the marker begins.</summary>
    public int Start { get; private set; }

    /// <summary>What the segment holds, its length field left out.</summary>
    public ReadOnlySpan<byte> Content { get; private set; }

    /// <summary>True for SOF0 to SOF15 and for SOF55 of JPEG-LS.</summary>
    public readonly bool IsFrameHeader => Marker is (>= 0xC0 and <= 0xCF and not HuffmanTables and not 0xC8 and not 0xCC) or 0xF7;

    /// <summary>Reads the next marker segment; false at the end of image or of the bytes.</summary>
    /// <exception cref="DicomContentException">No marker stands here, or the segment is longer than what is left.</exception>
    public bool Next()
    {
        int at = Position;
        if (at >= _bytes.Length)
        {
            return false;
        }

        if (_bytes[at] != 0xFF)
        {
            throw new DicomContentException("A JPEG marker is missing.", at);
        }

        while (at < _bytes.Length && _bytes[at] == 0xFF)
        {
            at++;
        }

        if (at >= _bytes.Length)
        {
            return false;
        }

        Start = at - 1;
        Marker = _bytes[at++];
        Content = default;
        Position = at;
        if (Marker == EndOfImage)
        {
            return false;
        }

        if (Marker is 0x01 or (>= Restart0 and <= StartOfImage))
        {
            return true;
        }

        if (Marker == 0 || _bytes.Length - at < 2)
        {
            throw new DicomContentException($"JPEG marker {Marker:X2} is followed by {_bytes.Length - at} bytes.", Start);
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(_bytes[at..]);
        if (length < 2 || length > _bytes.Length - at)
        {
            throw new DicomContentException($"JPEG segment {Marker:X2} says it has {length} bytes, {_bytes.Length - at} are left.", Start);
        }

        Content = _bytes.Slice(at + 2, length - 2);
        Position = at + length;
        return true;
    }
}
