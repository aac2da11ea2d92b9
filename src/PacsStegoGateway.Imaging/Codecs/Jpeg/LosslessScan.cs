using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>A scan header of lossless JPEG (T.81 B.2.3, table B.3).</summary>
/// <param name="Components">Indices of the frame's components that are in it, in order.</param>
/// <param name="Tables">A table for each of them.</param>
/// <param name="Predictor">1 to 7 of table H.1.</param>
/// <param name="PointTransform">How many low bits were dropped.</param>
internal sealed record LosslessScan(int[] Components, LosslessTable[] Tables, int Predictor, int PointTransform)
{
    /// <param name="missing">One bit for each component that no scan had; those of this scan are taken out.</param>
    public static LosslessScan Read(ReadOnlySpan<byte> content, JpegFrameHeader header, HuffmanCode?[] codes, ref int missing)
    {
        if (content.Length < 6 || content[0] is < 1 or > 4 || content.Length != 4 + (2 * content[0]))
        {
            throw new DicomContentException($"A scan header of {content.Length} bytes is impossible.");
        }

        int count = content[0];
        int[] components = new int[count];
        var tables = new LosslessTable[count];
        for (int i = 0; i < count; i++)
        {
            byte id = content[1 + (2 * i)];
            components[i] = Array.FindIndex(header.Components, c => c.Id == id);
            if (components[i] < 0 || (missing & (1 << components[i])) == 0)
            {
                throw new DicomContentException($"A scan names component {id}, which the frame has not or which was there already.");
            }

            missing &= ~(1 << components[i]);
            int slot = (content[2 + (2 * i)] >> 4) & 3;
            HuffmanCode code = codes[slot] ?? throw new DicomContentException($"A scan uses Huffman table {slot}, which is not defined.");
            int same = Array.FindIndex(tables, 0, i, t => ReferenceEquals(t.Code, code));
            tables[i] = same >= 0 ? tables[same] : new LosslessTable(code);
        }

        int predictor = content[^3], pointTransform = content[^1] & 15;
        return predictor is >= 1 and <= 7 && pointTransform < header.Precision
            ? new LosslessScan(components, tables, predictor, pointTransform)
            : throw new DicomContentException($"Predictor {predictor} with point transform {pointTransform} of {header.Precision} bits is impossible.");
    }
}
