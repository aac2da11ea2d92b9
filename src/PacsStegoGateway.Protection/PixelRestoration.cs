using System.Buffers;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Codecs.Jpeg;

namespace PacsStegoGateway.Protection;

/// <summary>
/// How the encapsulated pixel data of an original is made again, fragment by fragment, once its samples are back: for each
/// frame whose fragments are not in the protected object, what its codestream is beyond its samples.
/// </summary>
/// <remarks>
/// <code>
/// byte    format, 1
/// 2 bytes VR of the element, letters
/// varint  length of the Basic Offset Table, and its bytes
/// varint  number of frames that follow; the fragments of all others are those of the protected object
///   varint  frame, from 0
///   byte    way: 0 the codestream itself | 1 JPEG lossless replica | 2 our own encoder's codestream
///   varint  number of fragments, and the length of each
///   way 1:  varint length of the headers, and their bytes
///   varint  length, and the codestream (way 0) or its <see cref="CodestreamDelta"/> from what the way makes
/// </code>
/// Ways 1 and 2 make a codestream of samples, byte for byte the same for ever: 1 because ITU-T T.81 leaves no choice, 2
/// because the encoder is ours and a test holds its bytes. Of encoders in libraries nothing is expected.
/// </remarks>
internal sealed class PixelRestoration
{
    private const byte FormatVersion = 1;
    private const string RleLossless = "1.2.840.10008.1.2.5";
    private const string EncapsulatedUncompressed = "1.2.840.10008.1.2.1.98";

    private enum Way : byte
    {
        Verbatim = 0,
        JpegReplica = 1,
        OwnEncoder = 2,
    }

    private readonly Vr _vr;
    private readonly ReadOnlyMemory<byte> _offsetTable;
    private readonly SortedDictionary<int, FrameRecord> _frames = [];

    private PixelRestoration(Vr vr, ReadOnlyMemory<byte> offsetTable)
    {
        _vr = vr;
        _offsetTable = offsetTable;
    }

    private sealed record FrameRecord(Way Way, int[] Lengths, ReadOnlyMemory<byte> Headers, ReadOnlyMemory<byte> Data);

    /// <summary>A record of this pixel data in which no frame stands yet.</summary>
    public static PixelRestoration Of(Element pixelData) => new(pixelData.Vr, pixelData.Fragments![0]);

    /// <summary>Records one frame of the original in the shortest way that gives its codestream back.</summary>
    public void Add(CarrierFrames original, int frame, TransferSyntax transferSyntax)
    {
        ReadOnlyMemory<byte> codestream = original.Codestream(frame);
        (int first, int count) = original.FragmentsOf(frame);
        int[] lengths = new int[count];
        for (int i = 0; i < count; i++)
        {
            lengths[i] = (int)original.PixelData.Fragments!.LengthOf(first + i);
        }

        var best = new FrameRecord(Way.Verbatim, lengths, default, codestream);
        ReadOnlyMemory<byte> headers = JpegLosslessReplica.HeadersOf(codestream);
        foreach ((Way way, ReadOnlyMemory<byte> kept) in ((Way, ReadOnlyMemory<byte>)[])[(Way.JpegReplica, headers), (Way.OwnEncoder, default)])
        {
            if (Make(way, kept.Span, original.Bytes(frame).Span, original.Format, transferSyntax) is { } made)
            {
                byte[] delta = CodestreamDelta.Encode(made, codestream.Span);
                if (delta.Length + kept.Length < best.Data.Length + best.Headers.Length)
                {
                    best = new FrameRecord(way, lengths, kept, delta);
                }
            }
        }

        _frames[frame] = best;
    }

    /// <summary>Bytes that a frame's record holds.</summary>
    public long LengthOf(int frame) => _frames[frame].Data.Length + _frames[frame].Headers.Length;

    /// <summary>Makes the original's element again.</summary>
    /// <param name="stored">Frames of the protected object.</param>
    /// <param name="carrier">The frame that carries the symbol.</param>
    /// <param name="restored">That frame, uncompressed, as it was.</param>
    /// <param name="transferSyntax">Of the original.</param>
    /// <param name="storedAs">Of the protected object.</param>
    /// <exception cref="DicomContentException">Fragments that are needed are no longer there, or the record is damaged.</exception>
    /// <exception cref="PixelCodecRefusedException">A frame cannot be decoded.</exception>
    public Element Restore(CarrierFrames stored, int carrier, ReadOnlyMemory<byte> restored, TransferSyntax transferSyntax, TransferSyntax storedAs)
    {
        var fragments = new List<ByteSource> { ByteSource.Of(_offsetTable) };
        for (int frame = 0; frame < stored.Description.NumberOfFrames; frame++)
        {
            if (_frames.TryGetValue(frame, out FrameRecord? record))
            {
                ReadOnlyMemory<byte> samples = record.Way == Way.Verbatim ? default : frame == carrier ? restored : stored.Bytes(frame);
                AddTo(fragments, record, Codestream(record, samples.Span, stored.Format, transferSyntax));
                continue;
            }

            if (stored.PixelData.Fragments is not { } kept || storedAs.UID != transferSyntax.UID)
            {
                throw new DicomContentException(
                    $"Frame {frame} was sent out as {transferSyntax.Name} and is {storedAs.Name} now: its codestream is no longer there.");
            }

            (int first, int count) = stored.FragmentsOf(frame);
            for (int i = first; i < first + count; i++)
            {
                fragments.Add(kept.SourceOf(i));
            }
        }

        return Element.Encapsulated(stored.PixelData.Tag, _vr, new Fragments(fragments));
    }

    /// <summary>The record as bytes.</summary>
    public byte[] Encode()
    {
        var writer = new ArrayBufferWriter<byte>();
        writer.Write([FormatVersion, (byte)_vr, (byte)((ushort)_vr >> 8)]);
        Block(writer, _offsetTable.Span);
        Varint.Write(writer, _frames.Count);
        foreach ((int frame, FrameRecord record) in _frames)
        {
            Varint.Write(writer, frame);
            writer.Write([(byte)record.Way]);
            Varint.Write(writer, record.Lengths.Length);
            foreach (int length in record.Lengths)
            {
                Varint.Write(writer, length);
            }

            if (record.Way == Way.JpegReplica)
            {
                Block(writer, record.Headers.Span);
            }

            Block(writer, record.Data.Span);
        }

        return writer.WrittenSpan.ToArray();
    }

    /// <summary>Reads what <see cref="Encode"/> wrote; a pad byte may follow.</summary>
    /// <exception cref="DicomContentException">Not such bytes.</exception>
    public static PixelRestoration Decode(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length < 3 || bytes.Span[0] != FormatVersion)
        {
            throw new DicomContentException("The record of the original codestreams has a format that this program does not read.");
        }

        int at = 3;
        var restoration = new PixelRestoration((Vr)(bytes.Span[1] | (bytes.Span[2] << 8)), Block(bytes, ref at));
        for (int count = Varint.Read(bytes.Span, ref at); count > 0; count--)
        {
            int frame = Varint.Read(bytes.Span, ref at);
            Way way = at < bytes.Length && bytes.Span[at] <= (byte)Way.OwnEncoder ? (Way)bytes.Span[at++] : throw Varint.Damaged();
            int fragments = Varint.Read(bytes.Span, ref at);
            if (fragments < 1 || fragments > bytes.Length - at)
            {
                throw Varint.Damaged();
            }

            int[] lengths = new int[fragments];
            for (int i = 0; i < fragments; i++)
            {
                lengths[i] = Varint.Read(bytes.Span, ref at);
            }

            ReadOnlyMemory<byte> headers = way == Way.JpegReplica ? Block(bytes, ref at) : default;
            restoration._frames[frame] = new FrameRecord(way, lengths, headers, Block(bytes, ref at));
        }

        return restoration;
    }

    /// <summary>What a way makes of samples, or null when it makes nothing of these.</summary>
    private static byte[]? Make(Way way, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> samples, FrameFormat format, TransferSyntax transferSyntax)
    {
        if (way == Way.JpegReplica)
        {
            return headers.IsEmpty ? null : JpegLosslessReplica.TryEncode(headers, samples, format);
        }

        try
        {
            return transferSyntax.UID is RleLossless or EncapsulatedUncompressed ? PixelCodecs.Find(transferSyntax)?.Encode(samples, format) : null;
        }
        catch (PixelCodecRefusedException)
        {
            return null;
        }
    }

    private static ReadOnlyMemory<byte> Codestream(FrameRecord record, ReadOnlySpan<byte> samples, FrameFormat format, TransferSyntax transferSyntax) =>
        record.Way == Way.Verbatim
            ? record.Data
            : CodestreamDelta.Apply(
                Make(record.Way, record.Headers.Span, samples, format, transferSyntax)
                    ?? throw new DicomContentException("The restored samples do not go with the recorded headers of their codestream."),
                record.Data.Span);

    private static void AddTo(List<ByteSource> fragments, FrameRecord record, ReadOnlyMemory<byte> codestream)
    {
        int at = 0;
        foreach (int length in record.Lengths)
        {
            fragments.Add(length <= codestream.Length - at ? ByteSource.Of(codestream.Slice(at, length)) : throw Varint.Damaged());
            at += length;
        }
    }

    private static void Block(ArrayBufferWriter<byte> writer, ReadOnlySpan<byte> bytes)
    {
        Varint.Write(writer, bytes.Length);
        writer.Write(bytes);
    }

    private static ReadOnlyMemory<byte> Block(ReadOnlyMemory<byte> bytes, ref int at)
    {
        int length = Varint.Read(bytes.Span, ref at);
        if (length > bytes.Length - at)
        {
            throw Varint.Damaged();
        }

        at += length;
        return bytes.Slice(at - length, length);
    }
}
