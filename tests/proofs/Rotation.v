(* Rotation: the vectors p and rho of a layer of any width with one output. (E54), (E56) and (E59) solve their
   motion (E50) from every start, and nothing else does. *)
From Coq Require Import Reals Lra Psatz Lia.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters EqE50 EqE51 EqE54 EqE56 EqE57 EqE59 Basics Sums.
Open Scope R_scope.

(* The products of the two vectors at a moment: |p|^2, p.rho and |rho|^2. *)
Definition size_p (L : letters) (t : R) : R := sum_below (n_h L) (fun k => p_vec L t k * p_vec L t k).
Definition along (L : letters) (t : R) : R := sum_below (n_h L) (fun k => p_vec L t k * rho_vec L t k).
Definition size_rho (L : letters) (t : R) : R := sum_below (n_h L) (fun k => rho_vec L t k * rho_vec L t k).

(* The letters of a start (p_0, rho_0): what m_0, S_+, S_- and the share stand for; c and C are what (E51)
   says of the first moment, and Omega is what (E57) says, and not zero. *)
Definition begun (L : letters) : Prop :=
  m_0 L = sum_below (n_h L) (fun k => p_vec_0 L k * rho_vec_0 L k) /\
  sum2 L = sum_below (n_h L) (fun k => (p_vec_0 L k + rho_vec_0 L k) * (p_vec_0 L k + rho_vec_0 L k)) /\
  difference2 L
  = sum_below (n_h L) (fun k => (p_vec_0 L k - rho_vec_0 L k) * (p_vec_0 L k - rho_vec_0 L k)) /\
  share L = 2 * s L / Omega L /\ eqE51 L 0 /\ eqE57_1 L /\ 0 < Omega L.

(* The angle and the clock: both lines of (E59), the first one where its right side is positive, as it is from
   the start on. Long before the start the motion blows up, and there no angle has that exponential. *)
Definition clock (L : letters) : Prop :=
  (forall t, 0 < eqE59_1_right L t -> eqE59_1 L t) /\ (forall t, eqE59_2 L t).

(* The vector solution at all times: (E54) at the angle, and what has been learned by the second line of
   (E56). *)
Definition vectors (L : letters) : Prop := (forall t, eqE54 L t) /\ (forall t, eqE56_2 L t).

(* The vectors begin at the start. *)
Definition starts (L : letters) : Prop :=
  forall i, (i < n_h L)%nat -> p_vec L 0 i = p_vec_0 L i /\ rho_vec L 0 i = rho_vec_0 L i.

Section Clock.

Variable L : letters.
Local Notation a := (sum2 L).
Local Notation b := (difference2 L).
Local Notation Om := (Omega L).
Local Notation s := (s L).
Local Notation m_0 := (m_0 L).

(* What the two lines of (E59) are made of, without phi1. *)
Definition gone (t : R) : R := exp (- Om * t).
Definition rises (t : R) : R := 1 + share L + (1 - share L) * gone t + b * ((1 - gone t) / Om).
Definition falls (t : R) : R := 1 - share L + (1 + share L) * gone t + a * ((1 - gone t) / Om).

Hypothesis Hm : m_0 = (a - b) / 4.
Hypothesis Ha : 0 <= a.
Hypothesis Hb : 0 <= b.
Hypothesis Hshare : share L = 2 * s / Om.
Hypothesis HOm : 0 < Om.
Hypothesis Hab : a * b = Om ^ 2 - 4 * s ^ 2.
Hypothesis runs : clock L.

(* What is spent of the time is the quotient that phi1 stands for. *)
Lemma spent : forall t, t * phi1 (- t * Om) = (1 - gone t) / Om.
Proof.
  intros t; unfold gone; destruct (Req_EM_T t 0) as [-> | Ht].
  - rewrite Rmult_0_r, exp_0; field; lra.
  - rewrite phi1_quotient.
    + replace (- t * Om) with (- Om * t) by ring; field; lra.
    + apply Rmult_integral_contrapositive_currified; lra.
Qed.

(* The right side of the first line is the quotient of the two, *)
Lemma right_1 : forall t, eqE59_1_right L t = rises t / falls t.
Proof.
  intros t; unfold eqE59_1_right, rises, falls; rewrite <- !spent; unfold gone.
  replace (- t * Om) with (- Om * t) by ring; f_equal; ring.
Qed.

(* and N is their product. *)
Lemma N_product : forall t, N L t = rises t * falls t / (4 * gone t).
Proof.
  intros t; destruct runs as (_ & H); rewrite (H t); unfold rises, falls; rewrite <- !spent; unfold gone.
  replace (- t * Om) with (- Om * t) by ring.
  replace (exp (t * Om)) with (/ exp (- Om * t)) by (rewrite <- exp_Ropp; f_equal; ring).
  field; apply Rgt_not_eq, exp_pos.
Qed.

(* At the start the angle is zero and N is one. *)
Lemma at_0 : vartheta L 0 = 0 /\ N L 0 = 1.
Proof.
  assert (Hg : gone 0 = 1) by (unfold gone; rewrite Rmult_0_r; apply exp_0).
  assert (Er : rises 0 = 2) by (unfold rises; rewrite Hg; field; lra).
  assert (Ef : falls 0 = 2) by (unfold falls; rewrite Hg; field; lra).
  assert (E1 : eqE59_1_right L 0 = 1) by (rewrite right_1, Er, Ef; field).
  split.
  - destruct runs as (H & _); specialize (H 0); unfold eqE59_1 in H; fold (eqE59_1_right L 0) in H.
    rewrite E1 in H; assert (E : 2 * vartheta L 0 = 0) by (rewrite <- (ln_exp (2 * _)), H, ln_1; lra); lra.
  - rewrite N_product, Er, Ef, Hg; field.
Qed.

(* From the start on, gone lies between zero and one, *)
Lemma gone_between : forall t, 0 <= t -> 0 < gone t <= 1.
Proof.
  intros t Ht; split; [apply exp_pos | unfold gone; rewrite <- exp_0].
  destruct (Rle_lt_or_eq_dec 0 t Ht) as [H | <-]; [ | right; f_equal; ring].
  left; apply exp_increasing; nra.
Qed.

(* the share between minus one and one, *)
Lemma share_between : -1 <= share L <= 1.
Proof.
  assert (H : (share L) ^ 2 <= 1).
  { rewrite Hshare; apply (Rmult_le_reg_l (Om ^ 2)); [nra | ].
    replace (Om ^ 2 * (2 * s / Om) ^ 2) with (4 * s ^ 2) by (field; lra).
    assert (0 <= a * b) by (now apply Rmult_le_pos); lra. }
  split; nra.
Qed.

(* and so both are positive. *)
Lemma both_positive : forall t, 0 <= t -> 0 < rises t /\ 0 < falls t.
Proof.
  intros t Ht; destruct (gone_between t Ht) as (Hg & Hg1); destruct share_between as (Hl & Hu).
  unfold rises, falls.
  assert (Hspent : 0 <= (1 - gone t) / Om) by (apply Rdiv_le_0_compat; lra).
  assert (0 <= b * ((1 - gone t) / Om)) by (now apply Rmult_le_pos).
  assert (0 <= a * ((1 - gone t) / Om)) by (now apply Rmult_le_pos).
  assert (Hup := Rmult_le_pos (1 + share L) (1 - gone t)).
  assert (Hdown := Rmult_le_pos (1 - share L) (1 - gone t)).
  split; lra.
Qed.

(* So N is positive. *)
Lemma N_positive : forall t, 0 <= t -> 0 < N L t.
Proof.
  intros t Ht; destruct (both_positive t Ht), (gone_between t Ht); rewrite N_product.
  apply Rdiv_lt_0_compat; [now apply Rmult_lt_0_compat | lra].
Qed.

(* The rate of the one, *)
Lemma rises_rate : forall t, is_derive rises t ((b - (1 - share L) * Om) * gone t).
Proof. intros t; unfold rises, gone; auto_derive; [lra | field; lra]. Qed.

(* and of the other. *)
Lemma falls_rate : forall t, is_derive falls t ((a - (1 + share L) * Om) * gone t).
Proof. intros t; unfold falls, gone; auto_derive; [lra | field; lra]. Qed.

(* The angle is half the logarithm of their quotient, from a little before the start on. *)
Lemma angle_near : forall t, 0 <= t ->
  locally t (fun t' => vartheta L t' = ln (rises t' / falls t') / 2).
Proof.
  intros t Ht; destruct (both_positive t Ht) as (Hr & Hf).
  assert (Hcontinuous : continuous (fun t => rises t / falls t) t).
  { apply (ex_derive_continuous (fun t => rises t / falls t)).
    assert (Hr' := rises_rate t); assert (Hf' := falls_rate t); auto_derive; derivable; try lra. }
  assert (Hnear : locally t (fun t' => 0 < rises t' / falls t')).
  { apply (Hcontinuous (fun q => 0 < q)), (open_gt 0); now apply Rdiv_lt_0_compat. }
  revert Hnear; apply filter_imp; intros t' H.
  destruct runs as (H1 & _); specialize (H1 t'); rewrite right_1 in H1; specialize (H1 H).
  unfold eqE59_1 in H1; fold (eqE59_1_right L t') in H1; rewrite right_1 in H1.
  rewrite <- H1, ln_exp; field.
Qed.

(* exp(2 zeta) is their quotient. *)
Lemma exp_angle : forall t, 0 <= t -> exp (2 * vartheta L t) = rises t / falls t.
Proof.
  intros t Ht; destruct (both_positive t Ht) as (Hr & Hf).
  assert (H := locally_singleton _ _ (angle_near t Ht)); simpl in H.
  rewrite H; replace (2 * (ln (rises t / falls t) / 2)) with (ln (rises t / falls t)) by field.
  apply exp_ln; now apply Rdiv_lt_0_compat.
Qed.

(* The first error, in these letters, *)
Lemma error_is : forall t,
  s - m_0 = ((b - (1 - share L) * Om) * falls t - rises t * (a - (1 + share L) * Om)) / 8.
Proof. intros t; unfold rises, falls; rewrite Hshare, Hm; field; lra. Qed.

(* and of both lines the squares: what the first line says of what has been learned. *)
Lemma squares_are : forall t, a * rises t ^ 2 - b * falls t ^ 2
  = 4 * s * (rises t * falls t) + 16 * gone t * (m_0 - s).
Proof. intros t; unfold rises, falls; rewrite Hshare, Hm; field [Hab]; lra. Qed.

(* The clock runs at the speed of the error, (s - m_0)/N. *)
Lemma angle_rate : forall t, 0 <= t -> is_derive (vartheta L) t ((s - m_0) / N L t).
Proof.
  intros t Ht; destruct (both_positive t Ht) as (Hr & Hf); destruct (gone_between t Ht) as (Hg & _).
  apply (is_derive_ext_loc (fun t => ln (rises t / falls t) / 2)).
  - generalize (angle_near t Ht); apply filter_imp; intros; now symmetry.
  - assert (Hr' := rises_rate t); assert (Hf' := falls_rate t); rewrite N_product.
    auto_derive; [derivable; try lra; now apply Rdiv_lt_0_compat | ].
    known_rates; rewrite (error_is t); field; lra.
Qed.

(* Of the exponentials of the angle, S_+ exp(2 zeta) and S_- exp(-2 zeta) differ by four times what has been
   learned. *)
Lemma learned : forall t, 0 <= t ->
  a * exp (2 * vartheta L t) - b / exp (2 * vartheta L t) = 4 * (s + (m_0 - s) / N L t).
Proof.
  intros t Ht; destruct (both_positive t Ht) as (Hr & Hf); destruct (gone_between t Ht) as (Hg & _).
  rewrite exp_angle, N_product by exact Ht.
  replace (a * (rises t / falls t) - b / (rises t / falls t))
    with ((a * rises t ^ 2 - b * falls t ^ 2) / (rises t * falls t)) by (field; lra).
  rewrite squares_are; field; lra.
Qed.

End Clock.

(* What every layer of the start shares, in the letters of the clock. *)
Section Start.

Variable L : letters.
Hypothesis begins : begun L.

(* The three products of the first vectors. *)
Local Notation P0 := (sum_below (n_h L) (fun k => p_vec_0 L k * p_vec_0 L k)).
Local Notation M0 := (sum_below (n_h L) (fun k => p_vec_0 L k * rho_vec_0 L k)).
Local Notation R0 := (sum_below (n_h L) (fun k => rho_vec_0 L k * rho_vec_0 L k)).

(* S_+ and S_- are |p_0|^2 + |rho_0|^2 plus and minus twice m_0, *)
Lemma start_sums : sum2 L = P0 + R0 + 2 * m_0 L /\ difference2 L = P0 + R0 - 2 * m_0 L.
Proof.
  destruct begins as (-> & -> & -> & _); split.
  - rewrite (sum_of_mixtures (n_h L) (p_vec_0 L) (rho_vec_0 L) _ _ 1 1 1 1) by (intros; ring); ring.
  - rewrite (sum_of_mixtures (n_h L) (p_vec_0 L) (rho_vec_0 L) _ _ 1 (-1) 1 (-1)) by (intros; ring); ring.
Qed.

(* and neither is negative. *)
Lemma start_signs : 0 <= sum2 L /\ 0 <= difference2 L.
Proof. destruct begins as (_ & -> & -> & _); split; apply sum_of_squares. Qed.

(* The squared lengths and what has been learned, where the vectors begin at the start. *)
Lemma start_products : starts L -> size_p L 0 = P0 /\ along L 0 = m_0 L /\ size_rho L 0 = R0.
Proof.
  intros H; destruct begins as (-> & _); unfold size_p, along, size_rho.
  repeat split; apply sum_as; intros k Hk; destruct (H k Hk) as (Ep & Er); now rewrite ?Ep, ?Er.
Qed.

(* C^2 = S_+ S_- and c = |p_0|^2 - |rho_0|^2. *)
Lemma start_C : starts L -> m L 0 = m_0 L -> C L ^ 2 = sum2 L * difference2 L /\ c L = P0 - R0 /\ 0 <= C L.
Proof.
  intros H Em; destruct (start_products H) as (EP & _ & ER); destruct start_sums as (Ea & Eb).
  destruct start_signs as (Ha & Hb).
  destruct begins as (_ & _ & _ & _ & (Ec & EC) & _); unfold eqE51_1 in Ec; unfold eqE51_2 in EC.
  fold (size_p L 0) in EC, Ec; fold (size_rho L 0) in EC, Ec; rewrite EP, ER in EC, Ec; rewrite Em in EC.
  replace ((P0 + R0) ^ 2 - 4 * m_0 L ^ 2) with (sum2 L * difference2 L) in EC by (rewrite Ea, Eb; ring).
  rewrite EC; split; [ | split; [exact Ec | apply sqrt_pos]].
  apply pow2_sqrt; now apply Rmult_le_pos.
Qed.

(* What the clock asks of the letters. *)
Lemma start_letters : starts L -> m L 0 = m_0 L ->
  m_0 L = (sum2 L - difference2 L) / 4 /\ share L = 2 * s L / Omega L /\ 0 < Omega L /\
  sum2 L * difference2 L = Omega L ^ 2 - 4 * s L ^ 2.
Proof.
  intros H Em; destruct (start_C H Em) as (EC & _ & HC); destruct start_sums as (Ea & Eb).
  destruct begins as (_ & _ & _ & Eshare & _ & EOm & HOm); unfold eqE57_1 in EOm.
  split; [rewrite Ea, Eb; field | split; [exact Eshare | split; [exact HOm | ]]].
  rewrite EOm, pow2_sqrt by nra; lra.
Qed.

End Start.

(* What moves along (E50): the squared lengths, and what has been learned. *)
Lemma products_move : forall L t, eqE50_2 L t -> eqE50_3 L t ->
  is_derive (size_p L) t (2 * (s L - m L t) * along L t) /\
  is_derive (size_rho L) t (2 * (s L - m L t) * along L t) /\
  is_derive (along L) t ((s L - m L t) * (size_p L t + size_rho L t)).
Proof.
  intros L t (Hp & Ep) (Hr & Er).
  assert (Hp' : forall k, (k < n_h L)%nat ->
    is_derive (fun t => p_vec L t k) t ((s L - m L t) * rho_vec L t k)) by (intros; apply rate; auto).
  assert (Hr' : forall k, (k < n_h L)%nat ->
    is_derive (fun t => rho_vec L t k) t ((s L - m L t) * p_vec L t k)) by (intros; apply rate; auto).
  assert (E : sum_below (n_h L) (fun k => rho_vec L t k * p_vec L t k) = along L t)
    by (apply sum_as; intros; ring).
  assert (H1 := product_rate (n_h L) (p_vec L) (p_vec L) _ _ _ _ Hp' Hp').
  assert (H2 := product_rate (n_h L) (rho_vec L) (rho_vec L) _ _ _ _ Hr' Hr').
  assert (H3 := product_rate (n_h L) (p_vec L) (rho_vec L) _ _ _ _ Hp' Hr').
  fold (along L t) in H1, H2; rewrite E in H1, H2; fold (size_rho L t) (size_p L t) in H3.
  split; [ | split].
  - apply (rate_as _ _ _ _ _ H1); [reflexivity | ring].
  - apply (rate_as _ _ _ _ _ H2); [reflexivity | ring].
  - apply (rate_as _ _ _ _ _ H3); [reflexivity | ring].
Qed.

Section Solution.

Variable L : letters.
Hypothesis begins : begun L.
Hypothesis runs : clock L.

(* The speed of the clock where the vectors begin at the start. *)
Hypothesis at_start : starts L.
Hypothesis m_at_start : m L 0 = m_0 L.

(* The facts about the clock, of these letters: its rate, *)
Lemma clock_rate : forall t, 0 <= t -> is_derive (vartheta L) t ((s L - m_0 L) / N L t).
Proof.
  destruct (start_letters L begins at_start m_at_start) as (Em & Es & HOm & Eab).
  destruct (start_signs L begins); intros; now apply angle_rate.
Qed.

(* what has been learned, *)
Lemma clock_learned : forall t, 0 <= t ->
  s L + (m_0 L - s L) / N L t
  = (sum2 L * exp (2 * vartheta L t) - difference2 L * exp (- (2 * vartheta L t))) / 4.
Proof.
  destruct (start_letters L begins at_start m_at_start) as (Em & Es & HOm & Eab).
  destruct (start_signs L begins); intros t Ht; rewrite exp_minus.
  assert (H' := learned L Em H H0 Es HOm Eab runs t Ht).
  change (difference2 L * / exp (2 * vartheta L t)) with (difference2 L / exp (2 * vartheta L t)); lra.
Qed.

(* and that N is positive. *)
Lemma clock_N : forall t, 0 <= t -> 0 < N L t.
Proof.
  destruct (start_letters L begins at_start m_at_start) as (Em & Es & HOm & Eab).
  destruct (start_signs L begins); intros; now apply N_positive.
Qed.

Hypothesis given : vectors L.

(* The product of the two vectors is what has been learned. *)
Lemma vectors_learn : forall t, 0 <= t -> eqE50_1 L t.
Proof.
  intros t Ht; destruct given as (H54 & H56); destruct (H54 t) as (Ep & Er); unfold eqE50_1.
  rewrite (sum_of_mixtures (n_h L) (p_vec_0 L) (rho_vec_0 L) _ _ (cosh (vartheta L t)) (sinh (vartheta L t))
             (sinh (vartheta L t)) (cosh (vartheta L t)))
    by (intros; rewrite ?Ep, ?Er by assumption; ring).
  rewrite (H56 t), (clock_learned t Ht).
  destruct (start_sums L begins) as (-> & ->); destruct begins as (Em & _); rewrite <- Em.
  rewrite exp_minus, exp_twice; unfold cosh, sinh; rewrite exp_minus.
  field; apply Rgt_not_eq, exp_pos.
Qed.

(* Each moves along the other at the speed of the error. *)
Lemma vectors_move : forall t, 0 <= t -> eqE50_2 L t /\ eqE50_3 L t.
Proof.
  intros t Ht; destruct given as (H54 & H56).
  assert (Hrate := clock_rate t Ht); assert (HN := clock_N t Ht).
  assert (Espeed : (s L - m_0 L) / N L t = s L - m L t) by (rewrite (H56 t); field; lra).
  rewrite Espeed in Hrate.
  assert (Hp : forall i, (i < n_h L)%nat ->
    is_derive (fun t => p_vec L t i) t ((s L - m L t) * rho_vec L t i)).
  { intros i Hi; destruct (H54 t) as (_ & Er); rewrite (Er i Hi).
    eapply rate_as; [ | intros t'; destruct (H54 t') as (Ep & _); symmetry; exact (Ep i Hi) | ].
    - unfold sinh, cosh; auto_derive; [derivable | reflexivity].
    - known_rates; unfold sinh, cosh; field. }
  assert (Hr : forall i, (i < n_h L)%nat ->
    is_derive (fun t => rho_vec L t i) t ((s L - m L t) * p_vec L t i)).
  { intros i Hi; destruct (H54 t) as (Ep & _); rewrite (Ep i Hi).
    eapply rate_as; [ | intros t'; destruct (H54 t') as (_ & Er); symmetry; exact (Er i Hi) | ].
    - unfold sinh, cosh; auto_derive; [derivable | reflexivity].
    - known_rates; unfold sinh, cosh; field. }
  split; split; intros i Hi.
  - eexists; now apply Hp.
  - now apply is_derive_unique, Hp.
  - eexists; now apply Hr.
  - now apply is_derive_unique, Hr.
Qed.

End Solution.

(* The vectors begin where they should. *)
Lemma vectors_begin : forall L, 0 < Omega L -> clock L -> vectors L ->
  vartheta L 0 = 0 /\ N L 0 = 1 /\ m L 0 = m_0 L /\ starts L.
Proof.
  intros L HOm runs (H54 & H56); destruct (at_0 L HOm runs) as (E0 & E1).
  split; [exact E0 | split; [exact E1 | split]].
  - rewrite (H56 0), E1; field.
  - intros i Hi; destruct (H54 0) as (Ep & Er); rewrite (Ep i Hi), (Er i Hi), E0.
    unfold sinh, cosh; rewrite Ropp_0, exp_0; split; field.
Qed.

(* The vectors (E54), with the angle and the clock of (E59) and what has been learned from (E56), solve the
   motion (E50) from t = 0 on, for every start of a layer of any width: p' = (s - m) rho and rho' = (s - m) p,
   with m = p.rho. C = s = 0 alone is left out, where Omega = 0 and nothing is to be learned.
   Checks (E50), (E51), (E54), (E56), (E57) and (E59). *)
Theorem rotation_solves : forall L, begun L -> clock L -> vectors L -> forall t, 0 <= t -> eqE50 L t.
Proof.
  intros L begins runs given t Ht.
  destruct (vectors_begin L) as (_ & _ & Em & H); auto; [apply begins | ].
  split; [now apply vectors_learn | now apply vectors_move].
Qed.

(* The vectors (E54) and (E56) begin at the start, with an angle of zero. Checks (E54), (E56) and (E59). *)
Theorem rotation_starts : forall L, 0 < Omega L -> clock L -> vectors L ->
  vartheta L 0 = 0 /\ N L 0 = 1 /\ m L 0 = m_0 L /\ starts L.
Proof. exact vectors_begin. Qed.

(* N never vanishes, so that the solution never blows up. Checks (E54), (E56), (E57) and (E59). *)
Theorem rotation_never_blows_up : forall L, begun L -> clock L -> vectors L -> forall t, 0 <= t -> 0 < N L t.
Proof.
  intros L begins runs given t Ht.
  destruct (vectors_begin L) as (_ & _ & Em & H); auto; [apply begins | ].
  now apply clock_N.
Qed.

(* The error and the sum of both squared lengths move by themselves. *)
Definition alone (s : R) (u r : R -> R) (t : R) : Prop :=
  is_derive u t (- (u t * r t)) /\ is_derive r t (4 * u t * (s - u t)).

(* From one start they have one course, as long as the sum is not negative. *)
Lemma alone_unique : forall s u r u' r' T,
  (forall t, 0 <= t <= T -> alone s u r t) -> (forall t, 0 <= t <= T -> alone s u' r' t) ->
  (forall t, 0 <= t <= T -> 0 <= r t) -> u 0 = u' 0 -> r 0 = r' 0 -> 0 <= T -> u T = u' T.
Proof.
  intros s u r u' r' T H H' Hr Eu Er HT.
  pose (q := fun t => 8 * (s - u t - u' t) - 2 * u' t).
  destruct (bounded q T HT) as (B & HB & Hq).
  { intros t Ht; destruct (H t Ht) as (Hu & _), (H' t Ht) as (Hu' & _).
    apply continuity_pt_filterlim, (ex_derive_continuous q t).
    unfold q; auto_derive; derivable. }
  pose (d := fun t => (u t - u' t) ^ 2 + (r t - r' t) ^ 2).
  assert (Hd : d T <= 0).
  { apply (stays_zero d (fun t => - 2 * (u t - u' t) ^ 2 * r t + q t * ((u t - u' t) * (r t - r' t))) B);
      auto; try intros t Ht.
    - destruct (H t Ht) as (Hu & Hr1), (H' t Ht) as (Hu' & Hr2).
      unfold d, q; auto_derive; [derivable | known_rates; ring].
    - specialize (Hq t Ht); specialize (Hr t Ht); unfold d; apply Rabs_le_between in Hq; revert Hq Hr.
      generalize (q t) (u t - u' t) (r t) (r t - r' t); intros k U size V Hk Hsize.
      assert (H1 := Rmult_le_pos (U ^ 2) size (pow2_ge_0 U) Hsize).
      assert (H2 := Rmult_le_pos (B - k) ((U + V) ^ 2)); assert (H3 := Rmult_le_pos (B + k) ((U - V) ^ 2)).
      generalize (pow2_ge_0 (U + V)) (pow2_ge_0 (U - V)) (pow2_ge_0 U) (pow2_ge_0 V); intros; nra.
    - unfold d; rewrite Eu, Er; ring. }
  unfold d in Hd; generalize (pow2_ge_0 (r T - r' T)) (pow2_ge_0 (u T - u' T)); intros.
  assert (E : u T - u' T = 0) by (apply Rsqr_0_uniq; unfold Rsqr; lra); lra.
Qed.

Section Unique.

Variable L : letters.
Variable T : R.
Hypothesis begins : begun L.
Hypothesis runs : clock L.
Hypothesis at_start : starts L.
Hypothesis moves : forall t, 0 <= t <= T -> eqE50 L t.

(* What has been learned begins at m_0. *)
Lemma m_starts : 0 <= T -> m L 0 = m_0 L.
Proof.
  intros HT; destruct (moves 0 (conj (Rle_refl 0) HT)) as (Em & _); unfold eqE50_1 in Em; rewrite Em.
  now apply (start_products L begins).
Qed.

(* The error of a motion and the sum of its squared lengths move by themselves. *)
Lemma moved_alone : forall t, 0 <= t <= T ->
  alone (s L) (fun t => s L - along L t) (fun t => size_p L t + size_rho L t) t.
Proof.
  intros t Ht; destruct (moves t Ht) as (Em & Hp & Hr); unfold eqE50_1 in Em; fold (along L t) in Em.
  destruct (products_move L t Hp Hr) as (H1 & H2 & H3); rewrite Em in H1, H2, H3.
  split.
  - auto_derive; [derivable | known_rates; ring].
  - auto_derive; [derivable | known_rates; ring].
Qed.

(* So do those of the clock. *)
Definition clock_u (t : R) : R :=
  s L - (sum2 L * exp (2 * vartheta L t) - difference2 L * exp (- (2 * vartheta L t))) / 4.
Definition clock_r (t : R) : R :=
  (sum2 L * exp (2 * vartheta L t) + difference2 L * exp (- (2 * vartheta L t))) / 2.

(* The speed of the clock is its error. *)
Lemma clock_speed : forall t, 0 <= t <= T -> is_derive (vartheta L) t (clock_u t).
Proof.
  intros t Ht; assert (HT : 0 <= T) by lra; assert (Em := m_starts HT).
  apply (rate_as _ _ _ _ _ (clock_rate L begins runs at_start Em t (proj1 Ht))); [reflexivity | ].
  assert (H := clock_learned L begins runs at_start Em t (proj1 Ht)).
  assert (HN := clock_N L begins runs at_start Em t (proj1 Ht)).
  unfold clock_u; rewrite <- H; field; lra.
Qed.

(* By themselves. *)
Lemma clock_alone : forall t, 0 <= t <= T -> alone (s L) clock_u clock_r t.
Proof.
  intros t Ht; assert (H := clock_speed t Ht); split.
  - unfold clock_u at 1; auto_derive; [derivable | known_rates; unfold clock_r; field].
  - unfold clock_r at 1; auto_derive; [derivable | known_rates; unfold clock_u; field].
Qed.

(* So the errors are the same. *)
Lemma same_error : forall t, 0 <= t <= T -> s L - m L t = clock_u t.
Proof.
  intros t Ht; destruct (moves t Ht) as (Em & _); unfold eqE50_1 in Em; fold (along L t) in Em; rewrite Em.
  destruct (at_0 L) as (E0 & _); auto; [apply begins | ].
  destruct (start_products L begins at_start) as (EP & EM & ER).
  destruct (start_sums L begins) as (Ea & Eb).
  apply (alone_unique (s L) (fun t => s L - along L t) (fun t => size_p L t + size_rho L t) clock_u clock_r);
    try lra.
  - intros t' Ht'; apply moved_alone; lra.
  - intros t' Ht'; apply clock_alone; lra.
  - intros t' Ht'; apply Rplus_le_le_0_compat; apply sum_of_squares.
  - unfold clock_u; rewrite E0, EM, Ea, Eb, Rmult_0_r, Ropp_0, exp_0; field.
  - unfold clock_r; rewrite E0, EP, ER, Ea, Eb, Rmult_0_r, Ropp_0, exp_0; field.
Qed.

(* A unit's sum p + rho has grown by the exponential of the angle, and its difference has shrunk by it. *)
Lemma unit_moved : forall i t, (i < n_h L)%nat -> 0 <= t <= T ->
  exp (- vartheta L t) * (p_vec L t i + rho_vec L t i) = p_vec_0 L i + rho_vec_0 L i /\
  exp (vartheta L t) * (p_vec L t i - rho_vec L t i) = p_vec_0 L i - rho_vec_0 L i.
Proof.
  intros i t Hi Ht; destruct (at_start i Hi) as (Ep0 & Er0); rewrite <- Ep0, <- Er0.
  destruct (at_0 L) as (E0 & _); auto; [apply begins | ].
  pose (p := fun t => p_vec L t i); pose (r := fun t => rho_vec L t i).
  assert (Hrates : forall t', 0 <= t' <= T ->
    is_derive p t' (clock_u t' * r t') /\ is_derive r t' (clock_u t' * p t') /\
    is_derive (vartheta L) t' (clock_u t')).
  { intros t' Ht'; assert (Hz := clock_speed t' Ht'); assert (E := same_error t' Ht').
    destruct (moves t' Ht') as (_ & (Hp & Ep) & Hr & Er); rewrite <- E in *.
    split; [ | split; [ | exact Hz]]; apply rate.
    - split; [now apply Hp | now apply Ep].
    - split; [now apply Hr | now apply Er]. }
  split.
  - replace (p_vec L 0 i + rho_vec L 0 i) with (exp (- vartheta L 0) * (p 0 + r 0))
      by (rewrite E0, Ropp_0, exp_0; unfold p, r; ring).
    apply (constant (fun t => exp (- vartheta L t) * (p t + r t))); [ | apply Ht].
    intros t' Ht'; destruct (Hrates t') as (Hp & Hr & Hz); [lra | ].
    auto_derive; [derivable | known_rates; ring].
  - replace (p_vec L 0 i - rho_vec L 0 i) with (exp (vartheta L 0) * (p 0 - r 0))
      by (rewrite E0, exp_0; unfold p, r; ring).
    apply (constant (fun t => exp (vartheta L t) * (p t - r t))); [ | apply Ht].
    intros t' Ht'; destruct (Hrates t') as (Hp & Hr & Hz); [lra | ].
    auto_derive; [derivable | known_rates; ring].
Qed.

(* So the sums p + rho grow by exp vartheta, and the differences p - rho shrink by it. *)
Lemma sums_moved : forall i t, (i < n_h L)%nat -> 0 <= t <= T ->
  p_vec L t i + rho_vec L t i = exp (vartheta L t) * (p_vec_0 L i + rho_vec_0 L i) /\
  p_vec L t i - rho_vec L t i = / exp (vartheta L t) * (p_vec_0 L i - rho_vec_0 L i).
Proof.
  intros i t Hi Ht; destruct (unit_moved i t Hi Ht) as (H1 & H2).
  assert (Hexp := exp_pos (vartheta L t)); rewrite exp_minus in H1.
  split; [rewrite <- H1 | rewrite <- H2]; field; lra.
Qed.

(* So the motion is the vector solution. *)
Lemma moved_as_vectors : forall t, 0 <= t <= T -> eqE54 L t /\ eqE56_2 L t.
Proof.
  intros t Ht; assert (HT : 0 <= T) by lra; assert (Em := m_starts HT).
  split; [split | ].
  - intros i Hi; destruct (sums_moved i t Hi Ht) as (E1 & E2).
    unfold sinh, cosh; rewrite exp_minus; assert (Hexp := exp_pos (vartheta L t)).
    replace (p_vec L t i) with ((p_vec L t i + rho_vec L t i + (p_vec L t i - rho_vec L t i)) / 2) by field.
    rewrite E1, E2; field; lra.
  - intros i Hi; destruct (sums_moved i t Hi Ht) as (E1 & E2).
    unfold sinh, cosh; rewrite exp_minus; assert (Hexp := exp_pos (vartheta L t)).
    replace (rho_vec L t i) with ((p_vec L t i + rho_vec L t i - (p_vec L t i - rho_vec L t i)) / 2) by field.
    rewrite E1, E2; field; lra.
  - assert (E := same_error t Ht); unfold clock_u in E.
    rewrite <- (clock_learned L begins runs at_start Em t (proj1 Ht)) in E.
    unfold eqE56_2; lra.
Qed.

End Unique.

(* Whatever solves (E50) from the start until T is the vector solution: (E54) with the angle of (E59), and
   (E56). To solve it until T means a derivative from both sides at t = 0 and at T too.
   Checks (E50), (E51), (E54), (E56), (E57) and (E59). *)
Theorem eqE50_has_one_solution : forall L T, begun L -> clock L -> starts L ->
  (forall t, 0 <= t <= T -> eqE50 L t) -> forall t, 0 <= t <= T -> eqE54 L t /\ eqE56_2 L t.
Proof. intros L T begins runs at_start moves; now apply moved_as_vectors. Qed.
