using System.Buffers.Binary;
using System.Globalization;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Protection;

/// <summary>The step that brings stego pixels into the form in which they leave.</summary>
public sealed partial class Protector
{
    /// <summary>Stego pixels as they leave.</summary>
    /// <param name="PixelData">The element.</param>
    /// <param name="TransferSyntax">The transfer syntax that goes with it.</param>
    /// <param name="Restoration">How the original's element is made again, when it was encapsulated.</param>
    /// <param name="OffsetTables">The Extended Offset Table and its lengths, when the original has them and the result can.</param>
    private sealed record CarriedPixels(
        Element PixelData, TransferSyntax TransferSyntax, PixelRestoration? Restoration = null, (byte[] Offsets, byte[] Lengths)? OffsetTables = null);

    /// <summary>
    /// Native pixels stay native. A losslessly compressed frame is compressed again in its own transfer syntax, and the
    /// others keep their fragments. Everything else (lossy, or no encoder) goes on uncompressed, for only so do the pixels
    /// that were received, and the symbol, arrive as they are.
    /// </summary>
    /// <returns>Null when more would have to be held in memory than is, which <paramref name="tooLong"/> says with both numbers.</returns>
    private static CarriedPixels? Carry(
        DataSet original, CarrierFrames frames, int carrier, byte[] stego, TransferSyntax transferSyntax, out string? tooLong)
    {
        tooLong = null;
        if (frames.PixelData.Fragments is null)
        {
            return new CarriedPixels(frames.ToNative(carrier, stego), transferSyntax);
        }

        try
        {
            if (PixelCodecs.IsLossless(transferSyntax) && PixelCodecs.Find(transferSyntax) is { CanEncode: true, Unavailable: null } codec)
            {
                return Encapsulate(original, frames, carrier, stego, transferSyntax, codec, out tooLong);
            }
        }
        catch (PixelCodecRefusedException)
        {
            // A format that the encoder of this transfer syntax does not take.
        }

        if (frames.PixelData.Fragments.TotalLength is > EncryptedAttributes.MostSealed and var length)
        {
            tooLong = $"{length} bytes of {transferSyntax.Name} would have to be sealed, more than the {EncryptedAttributes.MostSealed} that are.";
            return null;
        }

        var restoration = PixelRestoration.Of(frames.PixelData);
        for (int frame = 0; frame < frames.Description.NumberOfFrames; frame++)
        {
            restoration.Add(frames, frame, transferSyntax);
        }

        return new CarriedPixels(frames.ToNative(carrier, stego), TransferSyntax.ExplicitVRLittleEndian, restoration);
    }

    private static CarriedPixels? Encapsulate(DataSet original, CarrierFrames frames, int carrier, byte[] stego,
        TransferSyntax transferSyntax, IPixelCodec codec, out string? tooLong)
    {
        tooLong = null;
        long encodedAnew = 0;
        var restoration = PixelRestoration.Of(frames.PixelData);
        var fragments = new List<ByteSource> { ByteSource.Empty };
        int count = frames.Description.NumberOfFrames;
        byte[] offsets = new byte[count * sizeof(ulong)];
        byte[] lengths = new byte[count * sizeof(ulong)];
        long position = 0;
        for (int frame = 0; frame < count; frame++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(offsets.AsSpan(frame * sizeof(ulong)), position);
            int first = fragments.Count;
            if (EncodeAnew(frames, frame, frame == carrier ? stego : null, codec) is { } encoded)
            {
                restoration.Add(frames, frame, transferSyntax);
                fragments.Add(ByteSource.Of(encoded));
                encodedAnew += encoded.Length + restoration.LengthOf(frame);
                if (frame != carrier && encodedAnew > MostEncodedAnew)
                {
                    tooLong = $"Up to frame {frame} the frames that may hold more than pixels take {encodedAnew} bytes, more than the {MostEncodedAnew} that are held.";
                    return null;
                }
            }
            else
            {
                (int from, int kept) = frames.FragmentsOf(frame);
                for (int i = from; i < from + kept; i++)
                {
                    fragments.Add(frames.PixelData.Fragments!.SourceOf(i));
                }
            }

            long length = 0;
            for (int i = first; i < fragments.Count; i++)
            {
                length += fragments[i].Length;
                position += ItemHeaderLength + fragments[i].Length;
            }

            BinaryPrimitives.WriteInt64LittleEndian(lengths.AsSpan(frame * sizeof(ulong)), length);
        }

        fragments[0] = BasicOffsetTable(frames, offsets);
        return new CarriedPixels(
            Element.Encapsulated(frames.PixelData.Tag, Vr.OB, new Fragments(fragments)), transferSyntax, restoration,
            original.Contains(Tags.ExtendedOffsetTable) && fragments.Count == count + 1 ? (offsets, lengths) : null);
    }

    /// <summary>
    /// What goes out in place of a frame's codestream, or null when that can stay: every byte of it follows from its pixels, or
    /// it is what our own encoder writes.
    /// </summary>
    private static byte[]? EncodeAnew(CarrierFrames frames, int frame, byte[]? stego, IPixelCodec codec)
    {
        if (stego is not null)
        {
            return codec.Encode(stego, frames.Format);
        }

        ReadOnlySpan<byte> codestream = frames.Codestream(frame).Span;
        if (CodestreamContent.IsPixelsAlone(codestream, frames.Format, () => frames.Bytes(frame)))
        {
            return null;
        }

        byte[] encoded = codec.Encode(frames.Bytes(frame).Span, frames.Format);
        return codestream.SequenceEqual(encoded) ? null : encoded;
    }

    /// <summary>Most bytes of frames that are encoded anew because they may hold something beside pixels, their records included: they are held in memory.</summary>
    internal const int MostEncodedAnew = 16 << 20;

    /// <summary>Bytes of the item tag and length before every fragment.</summary>
    private const int ItemHeaderLength = 8;

    /// <summary>A table where the original has one, unless an offset no longer fits into its 32 bits: then an empty one, which is allowed.</summary>
    private static ByteSource BasicOffsetTable(CarrierFrames frames, byte[] offsets)
    {
        byte[] table = new byte[offsets.Length / 2];
        for (int frame = 0; frame < offsets.Length / sizeof(ulong); frame++)
        {
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(offsets.AsSpan(frame * sizeof(ulong)));
            if (offset > uint.MaxValue)
            {
                return ByteSource.Empty;
            }

            BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(frame * sizeof(uint)), (uint)offset);
        }

        return frames.PixelData.Fragments!.LengthOf(0) == 0 ? ByteSource.Empty : ByteSource.Of(table);
    }

    /// <summary>Frames that carry nothing must show what they showed; a native original's come back by their bytes alone.</summary>
    private static string? ProveOtherFrames(CarrierFrames original, CarrierFrames stored, int carrier)
    {
        if (original.PixelData.Fragments is null)
        {
            return null;
        }

        for (int frame = 0; frame < original.Description.NumberOfFrames; frame++)
        {
            if (frame != carrier && !original.Bytes(frame).Span.SequenceEqual(stored.Bytes(frame).Span))
            {
                return string.Create(CultureInfo.InvariantCulture, $"Frame {frame}, which carries nothing, was changed.");
            }
        }

        return null;
    }
}
