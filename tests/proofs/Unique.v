(* (7) has no other solution than the exact one, as long as ||dh||^2 > 0, except c = s = 0. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters EqE1 EqE2 EqE5 EqE6 EqE9 Eq7 Eq24 Basics Exact Variables Level.
Open Scope R_scope.

(* (7) without a quotient: with p^2 = ||dh||^2/(2 tau_y) and X = p' + (p^2 - c) p, its first and last line are
   p' = X + (c - p^2) p and X' = s^2 p - p^2 X. *)
Definition plane (c s : R) (p X : R -> R) (t : R) : Prop :=
  is_derive p t (X t + (c - p t ^ 2) * p t) /\ is_derive X t (s ^ 2 * p t - p t ^ 2 * X t).

(* How fast two states of the plane can part: where |X'| <= B and |p + p'| <= B, with rate K. *)
Lemma parts_no_faster : forall c s p X p' X' B : R, Rabs X' <= B -> Rabs (p + p') <= B ->
  2 * (p - p') * (X + (c - p ^ 2) * p - (X' + (c - p' ^ 2) * p'))
  + 2 * (X - X') * (s ^ 2 * p - p ^ 2 * X - (s ^ 2 * p' - p' ^ 2 * X'))
  <= (1 + s ^ 2 + 2 * Rabs c + B ^ 2) * ((p - p') ^ 2 + (X - X') ^ 2).
Proof.
  intros c s p X p' X' B HX Hp.
  assert (HB : 0 <= B) by (generalize (Rabs_pos X'); lra).
  assert (Hc := Rle_abs c).
  assert (Hprod : Rabs ((p + p') * X') <= B ^ 2).
  { rewrite Rabs_mult; replace (B ^ 2) with (B * B) by ring.
    apply Rmult_le_compat; auto using Rabs_pos. }
  apply Rabs_le_between in Hprod; revert Hprod; generalize (B ^ 2); intros b Hprod.
  replace (2 * (p - p') * (X + (c - p ^ 2) * p - (X' + (c - p' ^ 2) * p'))
           + 2 * (X - X') * (s ^ 2 * p - p ^ 2 * X - (s ^ 2 * p' - p' ^ 2 * X')))
    with (2 * (1 + s ^ 2) * ((p - p') * (X - X')) + 2 * c * (p - p') ^ 2
          - 2 * (p - p') ^ 2 * (p ^ 2 + p * p' + p' ^ 2) - 2 * p ^ 2 * (X - X') ^ 2
          - 2 * ((p + p') * X') * ((p - p') * (X - X'))) by ring.
  assert (Hcubic : 0 <= (p - p') ^ 2 * (p ^ 2 + p * p' + p' ^ 2)).
  { apply Rmult_le_pos; [apply pow2_ge_0 | nra]. }
  assert (Hsquare : 0 <= p ^ 2 * (X - X') ^ 2) by (apply Rmult_le_pos; apply pow2_ge_0).
  revert Hprod Hcubic Hsquare; generalize ((p + p') * X') ((p - p') ^ 2 * (p ^ 2 + p * p' + p' ^ 2))
    (p ^ 2 * (X - X') ^ 2); intros q cubic square Hq Hcubic Hsquare.
  generalize (p - p') (X - X'); intros a e.
  assert (H1 : 0 <= (1 + s ^ 2) * (a - e) ^ 2) by (apply Rmult_le_pos; [nra | apply pow2_ge_0]).
  assert (H2 : 0 <= (b - q) * (a - e) ^ 2) by (apply Rmult_le_pos; [lra | apply pow2_ge_0]).
  assert (H3 : 0 <= (b + q) * (a + e) ^ 2) by (apply Rmult_le_pos; [lra | apply pow2_ge_0]).
  assert (H4 : 0 <= (Rabs c - c) * a ^ 2) by (apply Rmult_le_pos; [lra | apply pow2_ge_0]).
  assert (H5 : 0 <= Rabs c * e ^ 2) by (apply Rmult_le_pos; [apply Rabs_pos | apply pow2_ge_0]).
  nra.
Qed.

(* From one start the plane has one trajectory. *)
Lemma plane_unique : forall (c s : R) (p X p' X' : R -> R) (T : R),
  (forall t, 0 <= t <= T -> plane c s p X t) -> (forall t, 0 <= t <= T -> plane c s p' X' t) ->
  p 0 = p' 0 -> X 0 = X' 0 -> 0 <= T -> p T = p' T /\ X T = X' T.
Proof.
  intros c s p X p' X' T H H' Ep EX HT.
  assert (Hcontinuous : forall (f : R -> R) (t v : R), is_derive f t v -> continuity_pt f t).
  { intros f t v Hf; apply continuity_pt_filterlim, (ex_derive_continuous f t); now exists v. }
  destruct (bounded (fun t => p t + p' t) T HT) as (B1 & HB1 & Hsum).
  { intros t Ht; destruct (H t Ht) as (Hp & _), (H' t Ht) as (Hp' & _).
    apply (continuity_pt_plus p p'); eapply Hcontinuous; eassumption. }
  destruct (bounded X' T HT) as (B2 & HB2 & HX').
  { intros t Ht; destruct (H' t Ht) as (_ & HX); eapply Hcontinuous; eassumption. }
  pose (K := 1 + s ^ 2 + 2 * Rabs c + (B1 + B2) ^ 2).
  pose (d := fun t => (p t - p' t) ^ 2 + (X t - X' t) ^ 2).
  pose (rate_of_d := fun t =>
    2 * (p t - p' t) * (X t + (c - p t ^ 2) * p t - (X' t + (c - p' t ^ 2) * p' t))
    + 2 * (X t - X' t) * (s ^ 2 * p t - p t ^ 2 * X t - (s ^ 2 * p' t - p' t ^ 2 * X' t))).
  pose (scaled := fun t => - (exp (- K * t) * d t)).
  assert (Hrising : scaled 0 <= scaled T).
  { apply (rising scaled (fun t => exp (- K * t) * (K * d t - rate_of_d t))); auto; intros t Ht.
    - destruct (H t Ht) as (Hp & HX), (H' t Ht) as (Hp' & HX1).
      unfold scaled, d, rate_of_d; auto_derive; [derivable | known_rates; ring].
    - apply Rmult_le_pos; [left; apply exp_pos | ].
      assert (Hbound := parts_no_faster c s (p t) (X t) (p' t) (X' t) (B1 + B2)).
      unfold K, d, rate_of_d; specialize (Hsum t Ht); specialize (HX' t Ht).
      apply Rge_le, Rge_minus, Rle_ge, Hbound; lra. }
  assert (Hstart : scaled 0 = 0) by (unfold scaled, d; rewrite Ep, EX; ring).
  assert (Hexp := exp_pos (- K * T)).
  assert (Hend : d T <= 0).
  { apply (Rmult_le_reg_l (exp (- K * T))); [exact Hexp | unfold scaled in *; lra]. }
  unfold d in Hend.
  destruct (squares_vanish (p T - p' T) (X T - X' T) 0) as (Hp & HX & _); [lra | split; lra].
Qed.

Section Unique.

Variable L : letters.
Variable T : R.
Hypothesis begins : start L.
Hypothesis solved : exact L.
Hypothesis runs : trajectory L T.
Hypothesis w_starts : w L 0 = dy2_0 L - cosine L * sqrt (dy2_0 L) * sqrt (dy2_target L).
Hypothesis HT : 0 <= T.

(* p and X of a trajectory of (7), ... *)
Definition seen_p (t : R) : R := sqrt (dh2 L t / (2 * tau_y L)).
Definition seen_w (t : R) : R := dx2 L / (4 * tau_h L * tau_y L) * w L t.
Definition seen_X (t : R) : R := - seen_w t / seen_p t + (seen_p t ^ 2 - c L) * seen_p t.

(* ... whose square is ||dh||^2/(2 tau_y), which is positive. *)
Lemma seen_p_is : forall t, 0 <= t <= T -> 0 < seen_p t /\ seen_p t ^ 2 = dh2 L t / (2 * tau_y L).
Proof.
  intros t Ht; destruct runs as ((_ & _ & Hy & _) & _ & _ & H); destruct (H t Ht) as (_ & Hpos).
  assert (Hq : 0 < dh2 L t / (2 * tau_y L)) by (apply Rdiv_lt_0_compat; lra).
  split; [now apply sqrt_lt_R0 | apply pow2_sqrt; lra].
Qed.

(* (24) in these letters: ||dy||^2 is p^2 (p^2 - c) over k_h k_y. *)
Lemma seen_level : forall t, 0 <= t <= T ->
  dx2 L / (4 * tau_h L * tau_y L) * dy2 L t = seen_p t ^ 2 * (seen_p t ^ 2 - c L).
Proof.
  intros t Ht; destruct (seen_p_is t Ht) as (_ & E); rewrite E.
  assert (E24 : eq24 L t).
  { apply (eq24_holds L t); [ | apply Ht]; destruct runs as (Hc & E0 & Ey & H).
    split; [exact Hc | split; [exact E0 | split; [exact Ey | ]]].
    intros t' Ht'; apply H; lra. }
  unfold eq24, eq24_1 in E24; rewrite E24.
  destruct begins as ((_ & _ & _ & Ec & _) & Hdx & Hh & Hy & H0 & _); unfold eqE5_4 in Ec; rewrite Ec.
  field; repeat split; lra.
Qed.

(* They move in the plane. *)
Lemma seen_moves : forall t, 0 <= t <= T -> plane (c L) (s L) seen_p seen_X t.
Proof.
  intros t Ht; assert (Htarget := target L begins); assert (Hlevel := seen_level t Ht).
  destruct (seen_p_is t Ht) as (Hp & Hp2).
  destruct begins as (_ & Hdx & Hh & Hy & _), runs as (_ & _ & _ & H).
  destruct (H t Ht) as ((Edh & _ & Ew) & Hpos); apply rate in Edh, Ew.
  assert (Hq : 0 < dh2 L t / (2 * tau_y L)) by (apply Rdiv_lt_0_compat; lra).
  assert (Ehp : dh2 L t = 2 * tau_y L * seen_p t ^ 2) by (rewrite Hp2; field; lra).
  assert (Ewp : w L t = 4 * tau_h L * tau_y L / dx2 L * seen_w t) by (unfold seen_w; field; lra).
  assert (Eyp : dy2 L t = 4 * tau_h L * tau_y L / dx2 L * (seen_p t ^ 2 * (seen_p t ^ 2 - c L)))
    by (rewrite <- Hlevel; field; lra).
  assert (Hrate_p : is_derive seen_p t (- seen_w t / seen_p t)).
  { unfold seen_p at 1; auto_derive; [repeat split; [eexists; exact Edh | exact Hq] | ].
    known_rates; fold (Rdiv (dh2 L t) (2 * tau_y L)); fold (seen_p t).
    rewrite Ewp; field; repeat split; lra. }
  assert (Hrate_w : is_derive seen_w t
    (- (3 * seen_w t - seen_p t ^ 2 * (seen_p t ^ 2 - c L) + s L ^ 2) * seen_p t ^ 2
     - (seen_p t ^ 2 * (seen_p t ^ 2 - c L) + seen_w t) * seen_w t / seen_p t ^ 2)).
  { unfold seen_w at 1; auto_derive; [eexists; exact Ew | ].
    known_rates; rewrite Eyp, Ehp, Ewp, Htarget; field; repeat split; lra. }
  split.
  - replace (seen_X t + (c L - seen_p t ^ 2) * seen_p t) with (- seen_w t / seen_p t)
      by (unfold seen_X; ring).
    exact Hrate_p.
  - unfold seen_X at 1; auto_derive; [derivable; lra | ].
    known_rates; unfold seen_X; field; lra.
Qed.

(* p^2 - x^2 - y^2 = c of the exact solution. *)
Lemma kept : forall t, 0 <= t -> p L t ^ 2 - x L t ^ 2 - y L t ^ 2 = c L.
Proof.
  intros t Ht; assert (Hc := c_at_start L begins); destruct solved as (E6 & HA & E1 & E2).
  assert (Hz := conserved L E6 HA E1 Hc t Ht); assert (HN := N_from_1 L E6 HA E1 t Ht).
  assert (Hroot : 0 < sqrt (N L t)) by (apply sqrt_lt_R0; lra).
  rewrite (p_is L HA E2), (x_is L HA E2), (y_is L E2) by lra.
  replace ((z_p L t / sqrt (N L t)) ^ 2 - (z_x L t / sqrt (N L t)) ^ 2 - (z_y L t / sqrt (N L t)) ^ 2)
    with ((z_p L t ^ 2 - z_x L t ^ 2 - z_y L t ^ 2) / sqrt (N L t) ^ 2) by (field; lra).
  rewrite Hz, pow2_sqrt by lra; field; lra.
Qed.

(* So does the exact solution, with X = s x. *)
Lemma exact_moves : forall t, 0 <= t -> plane (c L) (s L) (p L) (fun t => s L * x L t) t.
Proof.
  intros t Ht; destruct (exact_solves L solved t Ht) as (Hp & Hx & _).
  assert (E := kept t Ht).
  assert (Esize : p L t ^ 2 + x L t ^ 2 + y L t ^ 2 = 2 * p L t ^ 2 - c L) by lra.
  rewrite Esize in Hp, Hx; split.
  - apply (rate_as _ _ _ _ _ Hp); [reflexivity | field].
  - apply (rate_as _ _ _ _ _ (is_derive_scal _ _ (s L) _ Hx)); [reflexivity | ].
    field.
Qed.

(* They have one start. *)
Lemma same_start : seen_p 0 = p L 0 /\ seen_X 0 = s L * x L 0.
Proof.
  destruct (exact_starts L solved) as (_ & Ep & Ex & _); rewrite Ep, Ex.
  assert (Hp0 := p_0_positive L begins); assert (Hp2 := p_0_squared L begins).
  assert (E : seen_p 0 = p_0 L).
  { unfold seen_p; destruct runs as (_ & E0 & _); rewrite E0, <- Hp2; apply sqrt_pow2; lra. }
  split; [exact E | ].
  assert (Hc := c_at_start L begins).
  assert (Hx := x_0_squared L begins); assert (Hy := y_0_squared L begins).
  assert (Hw : seen_w 0 = p_0 L ^ 2 * (p_0 L ^ 2 - c L) - s L * p_0 L * x_0 L).
  { unfold seen_w; rewrite w_starts.
    assert (Hpx := start_product L begins); rewrite Hpx.
    replace (p_0 L ^ 2 - c L) with (x_0 L ^ 2 + y_0 L ^ 2) by lra.
    rewrite Hp2, Hx, Hy; destruct begins as (_ & Hdx & Hh & Hty & H0 & _); field; repeat split; lra. }
  unfold seen_X; rewrite E, Hw; field; lra.
Qed.

(* So they are the same, in all three variables. *)
Lemma same : dh2 L T = 2 * tau_y L * p L T ^ 2
  /\ dy2 L T = 4 * tau_h L * tau_y L / dx2 L * (p L T ^ 2 * (p L T ^ 2 - c L))
  /\ w L T = 4 * tau_h L * tau_y L / dx2 L * (p L T ^ 2 * (p L T ^ 2 - c L) - s L * p L T * x L T).
Proof.
  destruct same_start as (Ep & EX).
  assert (HTT : 0 <= T <= T) by lra.
  destruct (plane_unique (c L) (s L) seen_p seen_X (p L) (fun t => s L * x L t) T) as (Hp & HX); auto.
  - exact seen_moves.
  - intros t Ht; apply exact_moves; lra.
  - destruct (seen_p_is T HTT) as (Hpos & Hp2); assert (Hlevel := seen_level T HTT).
    destruct begins as (_ & Hdx & Hh & Hy & _).
    rewrite <- Hp; split; [rewrite Hp2; field; lra | split].
    + rewrite <- Hlevel; field; lra.
    + replace (w L T) with (4 * tau_h L * tau_y L / dx2 L * seen_w T) by (unfold seen_w; field; lra).
      f_equal; unfold seen_X in HX.
      replace (s L * seen_p T * x L T) with (seen_p T * (s L * x L T)) by ring.
      rewrite <- HX; field; lra.
Qed.

End Unique.

(* Whatever solves (7) from an allowed start except c = s = 0, where A = 0, as long as ||dh||^2 > 0, is the
   exact solution: the products (E9) of p, x and y from (E1)-(E2). To solve it until T means a derivative from
   both sides at t = 0 and at T too.
   Checks (7), (E1), (E2) and (E9). *)
Theorem eq7_has_one_solution : forall L T, start L -> exact L -> trajectory L T ->
  w L 0 = dy2_0 L - cosine L * sqrt (dy2_0 L) * sqrt (dy2_target L) ->
  forall t, 0 <= t <= T ->
  eqE9_1 L t /\ eqE9_2 L t /\ (gap L = p L t * x L t - s L -> eqE9_3 L t).
Proof.
  intros L T begins solved (Hc & E0 & Ey & H) Ew t (Ht & HtT).
  assert (runs : trajectory L t).
  { split; [exact Hc | split; [exact E0 | split; [exact Ey | ]]]; intros t' Ht'; apply H; lra. }
  destruct (same L t begins solved runs Ew Ht) as (Edh & Edy & Ew').
  assert (E := kept L begins solved t Ht).
  destruct begins as (_ & Hdx & _).
  replace (p L t ^ 2 - c L) with (x L t ^ 2 + y L t ^ 2) in Edy, Ew' by lra.
  split; [exact Edh | split].
  - unfold eqE9_2; rewrite Edy; field; lra.
  - intros Eg; unfold eqE9_3; rewrite Ew', Eg; field; lra.
Qed.
